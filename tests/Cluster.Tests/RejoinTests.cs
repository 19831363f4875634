namespace Broker.Cluster.Tests;

/// <summary>A silo that the others have declared dead comes back by itself, in the same process.</summary>
public sealed class RejoinTests(ITestOutputHelper output) : ClusterTest(output)
{
    private const string BeginsAgain = "This silo begins again as a new member";

    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_silo_that_was_frozen_joins_again_by_itself_and_says_so_once()
    {
        var silo = Cluster.Silos[0];
        var process = silo.ProcessId;
        await using var old = await ScriptedClient.ConnectAsync(silo.Mqtt);

        await Cluster.FreezeAsync(0, TimeSpan.FromSeconds(6));

        Assert.True(await old.ClosesAsync(Recovery), "the old connection is closed");
        await Cluster.ReadyAsync(Recovery, 0, 1, 2);
        Assert.Equal(process, silo.ProcessId);
        Assert.True(silo.IsRunning);
        Assert.Equal(2, Count(silo, "ready in"));
        Assert.Equal(1, Count(silo, BeginsAgain));
        await CrossesAsync(from: 0, to: 1);
        await CrossesAsync(from: 2, to: 0);
        Assert.Equal(0, await silo.TerminateAsync());
    }

    [Fact]
    public async Task A_silo_waits_for_its_database_answers_for_its_health_meanwhile_and_stops_when_told_to()
    {
        await Cluster.StopAsync(2);
        await Cluster.Server.CrashAsync();
        var starting = Cluster.StartAsync(2);
        await Eventually.TrueAsync(
            async () => (await Cluster.ObstacleAsync(2)).Contains("waiting for PostgreSQL", StringComparison.Ordinal),
            Recovery,
            () => Cluster.Log);
        Assert.Contains(" s so far of at most 300 s: The store postgresql 127.0.0.1:", Cluster.Silos[2].Output.Text, StringComparison.Ordinal);

        await Cluster.Server.StartAsync();
        await starting;
        await Cluster.ReadyAsync(Recovery, 0, 1, 2);
        await CrossesAsync(from: 2, to: 0);

        await Cluster.StopAsync(2);
        await Cluster.Server.CrashAsync();
        _ = Cluster.StartAsync(2).ContinueWith(static start => start.Exception, TaskScheduler.Default);
        await Eventually.TrueAsync(
            () => Cluster.Silos[2].Output.Text.Contains("waiting for PostgreSQL", StringComparison.Ordinal), Recovery, () => Cluster.Log);
        Assert.Equal(0, await Cluster.Silos[2].TerminateAsync());
        await Cluster.Server.StartAsync();
    }

    private async Task CrossesAsync(int from, int to)
    {
        await using var subscriber = await ScriptedClient.ConnectAsync(Cluster.Silos[to].Mqtt);
        await subscriber.SubscribeAsync("across", 1);
        await using var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[from].Mqtt);
        await publisher.PublishAsync("across", $"{from}", qos: 1);
        Assert.Equal($"{from}", (await subscriber.ExpectAsync(PacketType.Publish)).Text);
    }

    private static int Count(BrokerProcess silo, string text) =>
        silo.Output.Text.Split('\n').Count(line => line.Contains(text, StringComparison.Ordinal));
}
