using System.Globalization;

namespace Broker.Cluster.Tests.Support;

/// <summary>A test that cuts links of its cluster. Its facts are <see cref="PartitionFactAttribute"/>: they are skipped where no link can be cut.</summary>
public abstract class PartitionTest(ITestOutputHelper output, int silos = 3) : ClusterTest(output, silos)
{
    // Detection, a restart of the cut off silo, adoption and reconnects, on a machine that has two cores for all of it.
    private protected static readonly TimeSpan Recovery = TimeSpan.FromSeconds(90);

    private protected SiloNetwork Network => OptionalNetwork!;

    protected override bool NeedsNetwork => true;

    /// <summary>Runs publishers and subscribers, and the cuts; then everything is healed and has to come to its end.</summary>
    /// <param name="clients">What they speak; null: MQTT 5.0 at QoS 1, 3.1.1 at QoS 2.</param>
    private protected async Task RunAsync(
        string scenario, int qos, int seconds, Func<TimeSpan, Workload, Task> cuts, ProtocolVersion? clients = null)
    {
        var version = clients ?? (qos == 1 ? ProtocolVersion.Mqtt5 : ProtocolVersion.Mqtt311);
        var name = string.Create(CultureInfo.InvariantCulture, $"{scenario} {seconds} s, QoS {qos}, seed {Seed}");
        Say(name);
        var processes = Cluster.Silos.Select(static silo => silo.ProcessId).ToList();
        await using var workload = new Workload(Cluster, new Random(Seed), qos, version, isExactlyOnce: qos == 2);
        try
        {
            await workload.StartAsync();
            await workload.ProgressAsync(200, Recovery);
            var before = workload.Acknowledged;
            await cuts(TimeSpan.FromSeconds(seconds), workload);
            Say($"{name}: {workload.Acknowledged - before} acknowledged while links were cut");
            await Network.HealAsync();
            await workload.ProgressAsync(400, Recovery);
            await Cluster.ReadyAsync(Recovery, [.. Enumerable.Range(0, Cluster.Silos.Count)]);
            Say($"{name}: {await workload.FinishAsync(name)}");
        }
        catch (Exception)
        {
            Say($"{name}: logs in {await Cluster.KeepLogsAsync(name)}");
            throw;
        }

        Assert.Equal(processes, Cluster.Silos.Select(static silo => silo.ProcessId));
    }
}
