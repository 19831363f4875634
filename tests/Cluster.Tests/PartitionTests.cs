using System.Diagnostics;

namespace Broker.Cluster.Tests;

/// <summary>
/// Links that are cut and healed while clients work. Nothing acknowledged is lost, doubled or reordered, and nobody has to be
/// started again by hand.
/// </summary>
public sealed class PartitionTests(ITestOutputHelper output) : PartitionTest(output)
{
    // Silos in namespaces are not on this machine: what is more than health asks for an administrator.
    private const string Token = "an administrator's token";

    // A pause that clients would take for silence.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string> { ["Admin:Token"] = Token };

    [PartitionFact]
    public Task One_silo_cut_off_from_everything_for_5_s() => RunAsync("isolated", 1, 5, async (time, _) =>
    {
        await Network.CutAsync([Network.Silos[1]], [Network.Silos[0], Network.Silos[2], Network.Database, Network.Clients]);
        await Task.Delay(time);
    });

    [PartitionFact(IsLong = true)]
    public Task Link_between_two_silos_for_5_s() => RunAsync("link", 2, 5, async (time, _) =>
    {
        await Network.CutAsync(Network.Silos[0], Network.Silos[1]);
        await Task.Delay(time);
    });

    [PartitionFact(IsLong = true)]
    public Task Link_between_two_silos_for_30_s() => LinkAsync(1, 30);

    [PartitionFact(IsLong = true)]
    public Task Link_between_two_silos_for_120_s() => LinkAsync(2, 120);

    private Task LinkAsync(int qos, int seconds) => RunAsync("link", qos, seconds, async (time, _) =>
    {
        await Network.CutAsync(Network.Silos[0], Network.Silos[1]);
        await SilentAsync(time);
        await Task.Delay(time);
    });

    /// <summary>The third silo, which reaches both, hears that one of them does not answer the other.</summary>
    private Task SilentAsync(TimeSpan limit) => Eventually.TrueAsync(
        async () =>
        {
            using var admin = new AdminClient(Cluster.Silos[2].Http, Token);
            var alarms = await admin.GetAsync("/api/v1/alarms");
            return ((string[])["raised", "history"]).SelectMany(list => alarms.GetProperty(list).EnumerateArray())
                .Any(static alarm => alarm.GetProperty("id").GetString()!.StartsWith("silo_silent/", StringComparison.Ordinal));
        },
        limit,
        () => $"an alarm of a silo that does not answer\n{Cluster.Log}");

    [PartitionFact(IsLong = true)]
    public Task One_silo_cut_off_from_the_others_for_5_s() => OthersAsync(1, 5);

    [PartitionFact(IsLong = true)]
    public Task One_silo_cut_off_from_the_others_for_30_s() => OthersAsync(2, 30);

    [PartitionFact(IsLong = true)]
    public Task One_silo_cut_off_from_the_others_for_120_s() => OthersAsync(1, 120);

    private Task OthersAsync(int qos, int seconds) => RunAsync("others", qos, seconds, async (time, workload) =>
    {
        await Network.CutAsync([Network.Silos[0]], [Network.Silos[1], Network.Silos[2]]);
        await workload.ProgressAsync(200, Recovery);
        await Task.Delay(time);
    });

    [PartitionFact(IsLong = true)]
    public Task One_silo_cut_off_from_the_database_for_5_s() => DatabaseAsync(2, 5);

    [PartitionFact(IsLong = true)]
    public Task One_silo_cut_off_from_the_database_for_30_s() => DatabaseAsync(1, 30);

    [PartitionFact(IsLong = true)]
    public Task One_silo_cut_off_from_the_database_for_120_s() => DatabaseAsync(2, 120);

    /// <summary>
    /// What has nothing to do with the silo that is cut off goes on meanwhile, and QoS 0 among its own clients. Not the work of the others:
    /// it has subscribers there too, for whom nothing can be committed.
    /// </summary>
    private async Task DatabaseAsync(int qos, int seconds)
    {
        // One of MQTT 5.0 that publishes anew what was refused has it behind what was accepted meanwhile (promise 3).
        const ProtocolVersion Clients = ProtocolVersion.Mqtt311;
        await using var near = Workload.OfBothQos(Cluster, new Random(Seed), Clients, "near/", silos: [0, 1]);
        await near.StartAsync();
        await using var listener = await ScriptedClient.ConnectAsync(Cluster.Silos[2].Mqtt);
        await listener.SubscribeAsync("quick", 0);
        await using var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[2].Mqtt);
        await RunAsync("database", qos, seconds, async (time, _) =>
        {
            await Network.CutAsync(Network.Silos[2], Network.Database);
            for (var cut = Stopwatch.StartNew(); cut.Elapsed < time;)
            {
                await near.ProgressAsync(20, Pause);
                await publisher.PublishAsync("quick", $"{cut.Elapsed}");
                await listener.PickAsync(static p => p.Topic == "quick", "the next message", Pause);
            }

            Say($"on the other silos: {await near.FinishAsync("near")}");
        }, Clients);

        // It heals without a restart, as its own process: the others have reached it all the time.
        var again = Cluster.Silos.SelectMany(static silo => silo.Output.Text.Split('\n'))
            .Where(static line => line.Contains("begins again", StringComparison.Ordinal)).ToList();
        Assert.True(again.Count == 0, string.Join('\n', again));
    }

    [PartitionFact(IsLong = true)]
    public Task One_silo_cut_off_from_everything_for_30_s() => EverythingAsync(1, 30);

    [PartitionFact(IsLong = true)]
    public Task One_silo_cut_off_from_everything_for_120_s() => EverythingAsync(2, 120);

    private Task EverythingAsync(int qos, int seconds) => RunAsync("everything", qos, seconds, async (time, workload) =>
    {
        await Network.CutAsync([Network.Silos[1]], [Network.Silos[0], Network.Silos[2], Network.Database, Network.Clients]);
        await workload.ProgressAsync(200, Recovery);
        await Task.Delay(time);
    });

    [PartitionFact(IsLong = true)]
    public Task A_second_partition_while_the_first_heals() => RunAsync("second", 1, 10, async (time, workload) =>
    {
        await Network.CutAsync([Network.Silos[0]], [Network.Silos[1], Network.Silos[2]]);
        await Task.Delay(time);
        await Network.HealAsync();
        await Network.CutAsync([Network.Silos[1]], [Network.Silos[0], Network.Silos[2], Network.Database]);
        await Task.Delay(time);
        await Network.HealAsync();
        await Network.CutAsync(Network.Silos[2], Network.Database);
        await Task.Delay(time);
    });
}
