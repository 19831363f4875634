using Broker.TestKit.Checks;

namespace Broker.Tests.T16_Startup;

/// <summary>What <c>/metrics</c> says about what clients have done.</summary>
public sealed class MetricsTests() : OwnBrokerTest(("Session:MaxQueued", "3"))
{
    private static readonly HttpClient Http = new();

    [OwnFact]
    public async Task The_names_are_those_of_the_document() =>
        Assert.Equal(MetricsDocument.Expected(isCluster: false), MetricsDocument.Actual(await ReadAsync()));

    [OwnFact]
    public async Task Work_is_counted()
    {
        var away = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("away"));
        var leaving = await ConnectAsync(away);
        await leaving.SubscribeAsync(Topic("#"), 1);
        await leaving.DisconnectAsync(ReasonCode.Success);
        var subscriber = await ConnectAsync();
        await subscriber.SubscribeAsync(Topic("#"), 1);
        var publisher = await ConnectAsync();
        for (var i = 0; i < 5; i++)
        {
            await publisher.PublishAsync(Topic(), $"message {i}", 1);
            await subscriber.ExpectPublishAsync(Topic(), $"message {i}");
        }

        await Eventually.TrueAsync(
            async () => (await ReadAsync())["broker_sessions{state=\"dormant\"}"] == 1, TimeSpan.FromSeconds(10), () => "the client that left is away");
        var page = await ReadAsync();

        Assert.Equal(2, page["broker_connections"]);
        Assert.Equal(3, page["broker_connections_opened_total"]);
        Assert.Equal(5, page["broker_messages_published_total"]);
        Assert.Equal(5, page["broker_messages_delivered_total"]);
        Assert.Equal(2, page["broker_messages_dropped_total{reason=\"QueueFull\"}"]);
        Assert.Equal(2, page["broker_sessions{state=\"online\"}"]);
        Assert.Equal(3, page["broker_sessions_queued"]);
        Assert.Equal(5, page["broker_sessions_inflight"]);
        Assert.Equal(1, page["broker_ready"]);
        Assert.Equal(0, page.Sum("broker_ready_obstacle"));
        Assert.Equal(1, page["broker_silos"]);
        Assert.True(page["broker_bytes_received_total"] > 5 * 9 && page["broker_bytes_sent_total"] > 5 * 9);
        Assert.True(page.Sum("orleans_catalog_activations") > 0);
    }

    [OwnFact]
    public async Task Commits_fall_into_the_buckets_of_their_histogram()
    {
        var session = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));
        await session.SubscribeAsync(Topic("#"), 1);

        var page = await ReadAsync();
        var buckets = page.Series.Where(static s => s.StartsWith("broker_store_commit_duration_seconds_bucket", StringComparison.Ordinal))
            .Select(series => page[series]).ToList();

        Assert.True(buckets[^1] > 0);
        Assert.Equal(buckets.Order(), buckets);
        Assert.Equal(page["broker_store_commit_duration_seconds_count"], buckets[^1]);
        Assert.InRange(page["broker_store_commit_duration_seconds_sum"], 1e-6, 60);
        Assert.True(page["broker_store_batch_size_sum"] >= page["broker_store_batch_size_count"]);
    }

    private async Task<PrometheusText> ReadAsync() =>
        new(await Http.GetStringAsync(new Uri(((BrokerProcess)Server).Http, "/metrics")));
}
