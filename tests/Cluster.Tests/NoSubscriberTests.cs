namespace Broker.Cluster.Tests;

/// <summary>Whether a publisher is told that nobody subscribes (0x10) is a matter of all silos.</summary>
public sealed class NoSubscriberTests(ITestOutputHelper output, HealthyCluster healthy) : HealthyClusterTest(output, healthy)
{
    // Interest is taken back without anybody waiting for it.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Publisher_is_told_0x10_until_somebody_subscribes_elsewhere_and_after_the_UNSUBSCRIBE()
    {
        await using var publisher = await ConnectAsync(2);
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await PublishAsync(publisher, "nobody/unsubscribes/1", 1));
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await PublishAsync(publisher, "nobody/unsubscribes/1", 2));

        await using var subscriber = await ConnectAsync(0, acknowledges: true);
        await subscriber.SubscribeAsync("nobody/unsubscribes/#", 2);
        Assert.Equal(ReasonCode.Success, await PublishAsync(publisher, "nobody/unsubscribes/1", 1));
        Assert.Equal(ReasonCode.Success, await PublishAsync(publisher, "nobody/unsubscribes/1", 2));
        await subscriber.PickAsync(static p => p.Type == PacketType.Publish && p.Qos == 1, "the message of QoS 1");
        await subscriber.PickAsync(static p => p.Type == PacketType.Publish && p.Qos == 2, "the message of QoS 2");

        await subscriber.UnsubscribeAsync("nobody/unsubscribes/#");
        await NobodyAsync(publisher, "nobody/unsubscribes/1", 1);
        await NobodyAsync(publisher, "nobody/unsubscribes/1", 2);
    }

    [Fact]
    public async Task A_session_that_ends_with_its_connection_is_a_subscriber_no_more()
    {
        await using var publisher = await ConnectAsync(2);
        await using var subscriber = await ConnectAsync(0, acknowledges: true);
        await subscriber.SubscribeAsync("nobody/goes", 1);
        Assert.Equal(ReasonCode.Success, await PublishAsync(publisher, "nobody/goes", 1));
        subscriber.Abort();
        await NobodyAsync(publisher, "nobody/goes", 1);
    }

    [Fact]
    public async Task A_session_that_is_away_is_a_subscriber_until_it_ends()
    {
        var durable = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "nobody-away");
        await using (var subscriber = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt, durable))
        {
            await subscriber.SubscribeAsync("nobody/away", 1);
            await subscriber.DisconnectAsync();
        }

        await using var publisher = await ConnectAsync(2);
        Assert.Equal(ReasonCode.Success, await PublishAsync(publisher, "nobody/away", 1));
        await using (var ends = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt, durable with { Clean = true, Properties = [] }))
        {
            await ends.DisconnectAsync();
        }

        await NobodyAsync(publisher, "nobody/away", 1);
    }

    private static Task NobodyAsync(ScriptedClient publisher, string topic, int qos) => Eventually.TrueAsync(
        async () => await PublishAsync(publisher, topic, qos) == ReasonCode.NoMatchingSubscribers, Limit, () => $"nobody subscribes to {topic}");

    private static async Task<ReasonCode> PublishAsync(ScriptedClient publisher, string topic, int qos) =>
        (await publisher.PublishAsync(topic, "x", qos))!.Reason;

    private Task<ScriptedClient> ConnectAsync(int silo, bool acknowledges = false) =>
        ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt, new ConnectOptions { AcknowledgesByItself = acknowledges });
}
