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
            await KillAsync(silo, living: (silo + 1) % Cluster.Silos.Count);
            await workload.ProgressAsync(200, Recovery);
            await Cluster.StartAsync(silo);
            await workload.ProgressAsync(200, Recovery);
            Say($"kill {round + 1}: {workload.Report}");
        }
    });

    /// <summary>Kills a silo, beside a publisher and a subscriber of a topic that it has nothing to do with, on a living one.</summary>
    private async Task KillAsync(int silo, int living)
    {
        // A publisher that waited for the death to be settled would have one acknowledgement, or two.
        const int Enough = 20;
        var options = new ConnectOptions(ProtocolVersion.Mqtt5) { ClientId = "other", AcknowledgesByItself = true };
        await using var subscriber = await ScriptedClient.ConnectAsync(Cluster.Silos[living].Mqtt, options);
        await using var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[living].Mqtt);
        await subscriber.SubscribeAsync("other", qos: 1);
        var deaths = Deaths();

        await Cluster.KillAsync(silo);
        var acknowledged = 0;
        for (; Deaths() == deaths; acknowledged++)
        {
            await publisher.PublishAsync("other", $"{acknowledged}", qos: 1);
            await subscriber.ExpectPublishAsync("other", $"{acknowledged}");
            await Task.Delay(10);
        }

        Assert.True(acknowledged >= Enough, $"{acknowledged} acknowledgements before the death was settled\n{Cluster.Log}");

        int Deaths() => Cluster.Silos[living].Output.Text.Split('\n').Count(
            static line => line.Contains("has died; its sessions", StringComparison.Ordinal));
    }

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
        await using var faithful = await FaithfulAsync(silo);
        var frozen = Cluster.FreezeAsync(silo, TimeSpan.FromSeconds(seconds));
        for (var i = 0; i < 10; i++)
        {
            await faithful.SendPublishAsync("away", $"{i}", qos: 1);
        }

        await workload.ProgressAsync(200, Recovery);
        await frozen;
        while (await faithful.AnswerOrCloseAsync() is { } answer)
        {
            // Its sessions have been elsewhere for long: what it acknowledged now might be nowhere.
            Assert.False(answer is { Type: PacketType.PubAck, Reason: ReasonCode.Success }, $"{answer}\n{Cluster.Log}");
        }

        await workload.ProgressAsync(200, Recovery);
        await Cluster.ReadyAsync(Recovery, 0, 1, 2);
        Assert.Equal(process, Cluster.Silos[silo].ProcessId);
        Assert.Single(
            Cluster.Silos[silo].Output.Text.Split('\n'), static line => line.Contains("begins again", StringComparison.Ordinal));
        Assert.All(Cluster.Silos, static s => Assert.DoesNotContain("process of silo", s.Output.Text, StringComparison.Ordinal));
    });

    /// <summary>A client that stays connected to a silo whatever happens to it, and publishes to a durable session that is away.</summary>
    private async Task<ScriptedClient> FaithfulAsync(int silo)
    {
        await using (var away = await ScriptedClient.ConnectAsync(
            Cluster.Silos[silo].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "away")))
        {
            await away.SubscribeAsync("away", qos: 1);
        }

        return await ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt);
    }

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
