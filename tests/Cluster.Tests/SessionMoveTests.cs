namespace Broker.Cluster.Tests;

/// <summary>Clients that come back through another silo, again and again. Nothing acknowledged is lost, doubled or reordered.</summary>
public sealed class SessionMoveTests(ITestOutputHelper output, HealthyCluster healthy) : HealthyClusterTest(output, healthy)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1, ProtocolVersion.Mqtt311)]
    [InlineData(2, ProtocolVersion.Mqtt5)]
    public async Task Sessions_that_move(int qos, ProtocolVersion version)
    {
        var random = new Random(Seed);
        var name = $"moves, QoS {qos}, seed {Seed}";
        Say(name);
        await using var workload = new Workload(Cluster, random, qos, version, isExactlyOnce: qos == 2, prefix: $"moves{qos}/");
        await workload.StartAsync();
        await workload.ProgressAsync(200, Limit);
        for (var round = 0; round < 40; round++)
        {
            workload.Clients[random.Next(workload.Clients.Count)].Cut();
            await Task.Delay(random.Next(20, 150));
        }

        await workload.ProgressAsync(200, Limit);
        Say($"{name}: {await workload.FinishAsync(name)}");
    }
}
