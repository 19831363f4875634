using System.Diagnostics;
using System.Globalization;
using Broker.TestKit.Checks;

namespace Broker.Cluster.Tests;

/// <summary>Clients know one address. Silos behind it die, come back, stop, and are more or fewer; nothing acknowledged is lost.</summary>
public sealed class BehindBalancerTests(ITestOutputHelper output) : BalancedTest(output, silos: 3)
{
    private static readonly HttpClient Http = new();

    [BalancedFact(IsLong = true)]
    public async Task Silos_that_die_and_that_are_restarted_behind_one_address()
    {
        var random = new Random(Seed);
        await using var balancer = await Balancer.StartAsync(Cluster, Network);
        await using var workload = Workload.OfBothQos(Cluster, random, ProtocolVersion.Mqtt5, "behind/");
        await workload.StartAsync();
        await workload.ProgressAsync(200, Recovery);

        await Cluster.KillAsync(0);
        await workload.ProgressAsync(200, Recovery);
        await balancer.SeesAsync([1, 2], Recovery);
        await Cluster.StartAsync(0);
        await balancer.SeesAsync([0, 1, 2], Recovery);
        await workload.ProgressAsync(200, Recovery);
        Say($"killed and back: {workload.Report}");

        await Cluster.StopAsync(1);
        await workload.ProgressAsync(200, Recovery);
        await Cluster.StartAsync(1);
        await balancer.SeesAsync([0, 1, 2], Recovery);
        await workload.ProgressAsync(200, Recovery);

        var report = await workload.FinishAsync($"behind one address, seed {Seed}");
        Say($"restarted: {report}");
        Assert.Equal(0, workload.Refusals);
    }

    [BalancedFact]
    public async Task A_silo_that_is_not_ready_gets_no_connections_and_keeps_those_that_it_has()
    {
        await using var balancer = await Balancer.StartAsync(Cluster, Network);
        await using var crowd = new Crowd(balancer.Address, wills: null);
        await crowd.AddAsync(30);
        var before = await OpenedAsync(2);
        Assert.True(before > 0);

        await Network.CutAsync(Network.Silos[2], Network.Database);
        await balancer.SeesAsync([0, 1], Recovery);
        before = await OpenedAsync(2);
        var later = new List<ScriptedClient>();
        for (var i = 0; i < 12; i++)
        {
            later.Add(await ScriptedClient.ConnectAsync(balancer.Address));
        }

        Assert.Equal(before, await OpenedAsync(2));
        Assert.Equal(0, crowd.Returns);
        await Network.HealAsync();
        await balancer.SeesAsync([0, 1, 2], Recovery);
        Assert.Equal(30, crowd.Connected);
        await Task.WhenAll(later.Select(static client => client.DisposeAsync().AsTask()));
    }

    [BalancedFact(IsLong = true)]
    public async Task Clients_of_a_silo_that_dies_are_back_before_their_Wills_are_due()
    {
        const int Clients = 3000;
        await using var balancer = await Balancer.StartAsync(Cluster, Network);
        await using var wills = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt);
        await wills.SubscribeAsync("wills/#", 1);
        await using var crowd = new Crowd(balancer.Address, wills: "wills/crowd");
        await crowd.AddAsync(Clients);
        var there = (await balancer.StateAsync())[1].Connections;

        var clock = Stopwatch.StartNew();
        await Cluster.KillAsync(1);
        await Eventually.TrueAsync(() => crowd.Connected == Clients && crowd.Returns >= there, Recovery, () => $"{crowd}");
        var all = clock.Elapsed;

        // Sessions and Wills are taken over in many steps, and clients come back in the middle of them.
        Say(string.Create(CultureInfo.InvariantCulture, $"{there} clients of {Clients} back {all.TotalSeconds:F1} s after the kill: {crowd}"));
        Assert.Equal(0, crowd.WithoutSession);
        await wills.ExpectNothingAsync(TimeSpan.FromSeconds(12));
    }

    [BalancedFact(IsLong = true)]
    public async Task A_silo_that_drains_hands_its_clients_over_and_gets_no_new_ones()
    {
        await using var balancer = await Balancer.StartAsync(Cluster, Network);
        await using var wills = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt);
        await wills.SubscribeAsync("wills/#", 1);
        await using var crowd = new Crowd(balancer.Address, wills: "wills/crowd");
        await crowd.AddAsync(150);
        var there = (await balancer.StateAsync())[1].Connections;
        Assert.InRange(there, 25, 75);

        var clock = Stopwatch.StartNew();
        await Cluster.StopAsync(1);
        var stopped = clock.Elapsed;
        await Eventually.TrueAsync(() => crowd.Connected == 150 && crowd.Returns >= there, Recovery, () => $"{crowd}");
        var all = clock.Elapsed;

        Say(string.Create(CultureInfo.InvariantCulture, $"{there} clients of 150 handed over, stopped after {stopped.TotalSeconds:F1} s, all back after {all.TotalSeconds:F1} s: {crowd}"));
        Assert.Equal(there, crowd.Returns);
        Assert.Equal(0, crowd.WithoutSession);
        Assert.Equal([0, 2], (await balancer.StateAsync()).Index().Where(static s => s.Item.Connections > 0).Select(static s => s.Index));
        await wills.ExpectNothingAsync(TimeSpan.FromSeconds(6));
    }

    /// <summary>Connections that a silo says it has got, those of the test's own HTTP requests not among them.</summary>
    private async Task<double> OpenedAsync(int silo) =>
        new PrometheusText(await Http.GetStringAsync(new Uri(Cluster.Silos[silo].Http, "/metrics")))["broker_connections_opened_total"];
}
