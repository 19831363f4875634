namespace Broker.Cluster.Tests;

/// <summary>Nodes that die, freeze, stop and come back while clients work. Nothing acknowledged is lost, doubled or reordered.</summary>
public sealed class NodeFailureTests(ITestOutputHelper output) : ClusterTest(output)
{
    // Detection, fencing, adoption and reconnects, on a machine that has two cores for all of it.
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);

    [Fact]
    public Task Killed_nodes() => KillAsync(1, ProtocolVersion.Mqtt311, rounds: 2);

    [ChaosFact]
    public Task A_node_killed_while_another_that_died_is_being_settled() => RunAsync("one after the other", 1, ProtocolVersion.Mqtt5, async (workload, _) =>
    {
        await Cluster.KillAsync(0);

        // The second is not known to be dead yet when the sessions of the first are taken over.
        await Task.Delay(TimeSpan.FromMilliseconds(1500));
        await Cluster.KillAsync(1);
        await workload.ProgressAsync(200, Recovery);
        await Task.WhenAll(Cluster.StartAsync(0), Cluster.StartAsync(1));
        await workload.ProgressAsync(200, Recovery);
    });

    [ChaosFact]
    public Task Killed_nodes_at_QoS_2() => KillAsync(2, ProtocolVersion.Mqtt5, rounds: 4);

    private Task KillAsync(int qos, ProtocolVersion version, int rounds) => RunAsync("kill", qos, version, async (workload, random) =>
    {
        for (var round = 0; round < rounds; round++)
        {
            var silo = random.Next(Cluster.Silos.Count);
            await Cluster.KillAsync(silo);
            await workload.ProgressAsync(200, Recovery);
            await Cluster.StartAsync(silo);
            await workload.ProgressAsync(200, Recovery);
            Say($"kill {round + 1}: {workload.Report}");
        }
    });

    [Fact]
    public Task A_node_frozen_for_5_s() => FreezeAsync(1, ProtocolVersion.Mqtt5, 5);

    [ChaosFact]
    public Task A_node_frozen_for_30_s() => FreezeAsync(2, ProtocolVersion.Mqtt311, 30);

    [ChaosFact]
    public Task A_node_frozen_for_120_s() => FreezeAsync(1, ProtocolVersion.Mqtt311, 120);

    private Task FreezeAsync(int qos, ProtocolVersion version, int seconds) => RunAsync($"freeze {seconds} s", qos, version, async (workload, random) =>
    {
        var silo = random.Next(Cluster.Silos.Count);
        var process = Cluster.Silos[silo].ProcessId;
        var frozen = Cluster.FreezeAsync(silo, TimeSpan.FromSeconds(seconds));
        await workload.ProgressAsync(200, Recovery);
        await frozen;
        await workload.ProgressAsync(200, Recovery);
        await Cluster.ReadyAsync(Recovery, 0, 1, 2);
        Assert.Equal(process, Cluster.Silos[silo].ProcessId);
        Assert.Single(
            Cluster.Silos[silo].Output.Text.Split('\n'), static line => line.Contains("begins again", StringComparison.Ordinal));
        Assert.All(Cluster.Silos, static s => Assert.DoesNotContain("process of silo", s.Output.Text, StringComparison.Ordinal));
    });

    [ChaosFact]
    public Task A_short_freeze_is_not_a_death() => RunAsync("short freeze", 1, ProtocolVersion.Mqtt5, async (workload, random) =>
    {
        for (var round = 0; round < 3; round++)
        {
            await Cluster.FreezeAsync(random.Next(Cluster.Silos.Count), TimeSpan.FromMilliseconds(600));
            await workload.ProgressAsync(200, Recovery);
        }
    });

    [Fact]
    public Task All_nodes_killed_at_once() => RunAsync("all killed", 2, ProtocolVersion.Mqtt5, async (workload, _) =>
    {
        await Task.WhenAll(Enumerable.Range(0, Cluster.Silos.Count).Select(Cluster.KillAsync));
        await Task.WhenAll(Enumerable.Range(0, Cluster.Silos.Count).Select(Cluster.StartAsync));
        await workload.ProgressAsync(200, Recovery);
    });

    [Fact]
    public Task A_database_that_crashes_and_comes_back() => RunAsync("database", 1, ProtocolVersion.Mqtt5, async (workload, _) =>
    {
        await Cluster.Server.CrashAsync();
        await Task.Delay(TimeSpan.FromSeconds(5));
        await Cluster.Server.StartAsync();
        await workload.ProgressAsync(200, Recovery);
        Assert.All(Cluster.Silos, static silo => Assert.True(silo.IsRunning));
    });

    private async Task RunAsync(
        string scenario, int qos, ProtocolVersion version, Func<Workload, Random, Task> faults)
    {
        var random = new Random(Seed);
        var name = $"{scenario}, QoS {qos}, seed {Seed}";
        Say(name);
        await using var workload = new Workload(Cluster, random, qos, version, isExactlyOnce: qos == 2);
        await workload.StartAsync();
        await workload.ProgressAsync(200, Recovery);
        await faults(workload, random);
        Say($"{name}: {await workload.FinishAsync(name)}");
    }
}
