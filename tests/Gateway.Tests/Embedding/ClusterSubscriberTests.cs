using Broker.Gateway.Embedding;
using Broker.Grains.Options;
using Broker.Grains.Tests.Storage;
using Broker.Protocol;
using Broker.TestKit.Clients;

namespace Broker.Gateway.Tests.Embedding;

/// <summary>Applications whose brokers are silos of one cluster.</summary>
public sealed class ClusterSubscriberTests
{
    [Fact]
    public async Task Subscriber_gets_what_is_published_on_another_silo_and_its_session_moves_to_where_its_name_is_used_next()
    {
        var server = await PostgresTestServer.SharedAsync();
        var database = await server.CreateDatabaseAsync();
        await using var first = await StartAsync(database);
        await using var second = await StartAsync(database);
        var subscription = new MqttSubscription { Name = "s", Filters = ["t/#"], SessionExpiry = TimeSpan.FromHours(1) };
        await using var subscriber = await first.Broker.SubscribeAsync(subscription);

        Assert.True(await PublishAsync(second, "t/1"));
        Assert.Equal("t/1", await NextAsync(subscriber));
        await using var next = await second.Broker.SubscribeAsync(subscription);

        var taken = await Assert.ThrowsAsync<MqttReasonException>(() => NextAsync(subscriber));
        Assert.Equal(ReasonCode.SessionTakenOver, taken.Reason);
        Assert.True(next.IsResumed);

        // It was handed out and not finished.
        Assert.Equal("t/1", await NextAsync(next));
    }

    private static Task<Application> StartAsync(string database) => Application.StartAsync(configure: options =>
    {
        options.Store.Kind = StoreKind.Postgres;
        options.Store.ConnectionString = database;
        options.Cluster.Address = "127.0.0.1";
    });

    private static async Task<bool> PublishAsync(Application application, string topic) => await application.Broker.PublishAsync(
        new MqttMessage { Topic = topic, Qos = QualityOfService.AtLeastOnce }).WaitAsync(ScriptedClient.Patience);

    private static async Task<string> NextAsync(MqttSubscriber subscriber)
    {
        using var patience = new CancellationTokenSource(ScriptedClient.Patience);
        await foreach (var message in subscriber.ReadAllAsync(patience.Token))
        {
            return message.Topic;
        }

        throw new InvalidOperationException("The loop has ended.");
    }
}
