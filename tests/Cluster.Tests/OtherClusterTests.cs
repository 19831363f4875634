using Broker.Grains.Tests.Storage;

namespace Broker.Cluster.Tests;

/// <summary>A silo of another name over the same database.</summary>
public sealed class OtherClusterTests(ITestOutputHelper output) : ClusterTest(output, silos: 1)
{
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_silo_says_which_silo_of_another_cluster_it_waits_for_and_goes_on_when_that_one_is_declared_dead()
    {
        await using (var client = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "durable")))
        {
            await client.SubscribeAsync("kept", 1);
        }

        await Cluster.KillAsync(0);

        // In its time it might live.
        await Eventually.TrueAsync(
            async () => await PostgresTestServer.ScalarAsync<bool>(Cluster.Database, "SELECT every(alive_until < clock_timestamp()) FROM broker_silo"),
            Recovery,
            () => "the silo that was killed is out of its time");
        await using var other = new BrokerProcess
        {
            Settings = new Dictionary<string, string>
            {
                ["Store:Kind"] = "Postgres",
                ["Store:ConnectionString"] = Cluster.Database,
                ["Cluster:Name"] = "other",
            },
        };
        var starting = other.StartAsync();
        await Eventually.TrueAsync(
            () => other.Output.Text.Contains("(of another cluster)", StringComparison.Ordinal), Recovery, () => other.Output.Text);
        Assert.False(starting.IsCompleted, other.Output.Text);

        await Cluster.StartAsync(0);
        await starting.WaitAsync(Recovery);
    }
}
