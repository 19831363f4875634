using System.Net.Sockets;

namespace Broker.Cluster.Tests;

/// <summary>A silo that joins serves only when it knows who subscribes to what on all the others.</summary>
public sealed class NewSiloTests(ITestOutputHelper output) : ClusterTest(output)
{
    private const int Filters = 6_000;
    private const int FiltersPerPacket = 200;
    private const int Messages = 60;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task First_publishes_through_a_new_silo_reach_subscribers_on_all_others()
    {
        await Cluster.StopAsync(2);
        await using var first = await SubscriberAsync(0);
        await using var second = await SubscriberAsync(1);

        var starting = Cluster.StartAsync(2);
        await using var publisher = await ConnectAsSoonAsPossibleAsync(2);
        var random = new Random(Seed);
        Say($"seed {Seed}");
        var topics = Enumerable.Range(0, Messages).Select(_ => $"new/{random.Next(Filters)}").ToList();
        foreach (var topic in topics)
        {
            var acknowledged = await publisher.PublishAsync(topic, topic, qos: 1);
            Assert.Equal(ReasonCode.Success, acknowledged!.Reason);
        }

        foreach (var subscriber in new[] { first, second })
        {
            Assert.Equal(topics, (await subscriber.ExpectPublishesAsync(Messages)).Select(static p => p.Text));
        }

        await starting;
    }

    private async Task<ScriptedClient> SubscriberAsync(int silo)
    {
        var client = await ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt, new ConnectOptions { AcknowledgesByItself = true });
        foreach (var filters in Enumerable.Range(0, Filters).Chunk(FiltersPerPacket))
        {
            var granted = await client.SubscribeAsync(filters.Select(static i => new Subscription($"new/{i}", 1)));
            Assert.All(granted.Reasons, static reason => Assert.Equal(ReasonCode.GrantedQoS1, reason));
        }

        return client;
    }

    /// <summary>Knocks until it is let in.</summary>
    private async Task<ScriptedClient> ConnectAsSoonAsPossibleAsync(int silo)
    {
        var deadline = DateTime.UtcNow + Limit;
        while (true)
        {
            try
            {
                return await ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt);
            }
            catch (Exception error) when (error is SocketException or TestFailureException && DateTime.UtcNow < deadline)
            {
                await Task.Delay(5);
            }
        }
    }
}
