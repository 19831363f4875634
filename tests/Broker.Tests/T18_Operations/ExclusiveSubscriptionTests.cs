namespace Broker.Tests.T18_Operations;

/// <summary>Subscriptions that one client at most has (FEATURES 2.7).</summary>
public sealed class ExclusiveSubscriptionTests() : OwnBrokerTest
{
    private const string Filter = "$exclusive/t/+";

    [OwnTheory, BothVersions]
    public async Task Second_client_is_refused_until_the_first_has_unsubscribed_or_its_session_has_ended(ProtocolVersion version)
    {
        var refusal = version == ProtocolVersion.Mqtt5 ? ReasonCode.QuotaExceeded : ReasonCode.UnspecifiedError;
        var first = await ConnectAsync(version);
        var second = await ConnectAsync(version);
        Assert.Equal([ReasonCode.GrantedQoS1], (await first.SubscribeAsync(Filter, 1)).Reasons);
        Assert.Equal(
            [ReasonCode.Success, refusal], (await second.SubscribeAsync([new Subscription("other", 0), new Subscription(Filter, 2)])).Reasons);

        // Again is no second one, and another text is another subscription.
        Assert.Equal([ReasonCode.GrantedQoS2], (await first.SubscribeAsync(Filter, 2)).Reasons);
        Assert.Equal([ReasonCode.Success], (await second.SubscribeAsync("$exclusive/t/1")).Reasons);
        Assert.Equal([ReasonCode.Success], (await second.SubscribeAsync("t/2")).Reasons);
        await second.UnsubscribeAsync("$exclusive/t/1", "t/2", Filter);
        Assert.Equal([refusal], (await second.SubscribeAsync(Filter)).Reasons);

        await first.UnsubscribeAsync(Filter);
        Assert.Equal([ReasonCode.Success], (await second.SubscribeAsync(Filter)).Reasons);
        Assert.Equal([refusal], (await first.SubscribeAsync(Filter)).Reasons);

        second.Abort();
        await Eventually.TrueAsync(
            async () => (await first.SubscribeAsync(Filter)).Reasons[0] == ReasonCode.Success, TimeSpan.FromSeconds(10), () => "it is free");
    }

    [OwnFact]
    public async Task Messages_of_the_topic_come_with_all_that_a_subscription_has()
    {
        var publisher = await ConnectAsync();
        await publisher.PublishAsync("t/kept", "retained", 1, retain: true);
        var subscriber = await ConnectAsync(new ConnectOptions { AcknowledgesByItself = true });
        await subscriber.SubscribeAsync(new Subscription(Filter, 2), new() { { Prop.SubscriptionIdentifier, 7 } });
        var kept = await subscriber.ExpectPublishAsync("t/kept", "retained");
        Assert.True(kept.Retain);

        await publisher.PublishAsync("t/1", "one", 1);
        await publisher.PublishAsync("$exclusive/t/1", "not this", 0);
        await publisher.PublishAsync("t/2", "two", 1);
        Assert.Equal(7u, (await subscriber.ExpectPublishAsync("t/1", "one")).Properties.Number(Prop.SubscriptionIdentifier));
        await subscriber.ExpectPublishAsync("t/2", "two");
        await subscriber.UnsubscribeAsync(Filter);
        await publisher.PublishAsync("t/3", "three", 1);
        await subscriber.ExpectNothingAsync();
    }

    [OwnFact]
    public async Task Durable_session_keeps_it_while_its_client_is_away_and_over_kill_9()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "holder");
        var holder = await ConnectAsync(options);
        await holder.SubscribeAsync(Filter, 1);
        await holder.DisconnectAsync();
        var other = await ConnectAsync();
        Assert.Equal([ReasonCode.QuotaExceeded], (await other.SubscribeAsync(Filter)).Reasons);

        await Server.RestartAsync();
        other = await ConnectAsync();
        Assert.Equal([ReasonCode.QuotaExceeded], (await other.SubscribeAsync(Filter)).Reasons);
        await other.PublishAsync("t/1", "for the one that is away", 1);
        holder = await ConnectAsync(options);
        await holder.ExpectPublishAsync("t/1", "for the one that is away");

        // A session that begins anew has nothing of the old one.
        await holder.DisconnectAsync();
        holder = await ConnectAsync(options with { Clean = true });
        Assert.Equal([ReasonCode.Success], (await other.SubscribeAsync(Filter)).Reasons);
        Assert.Equal([ReasonCode.QuotaExceeded], (await holder.SubscribeAsync(Filter)).Reasons);
    }

    [OwnFact]
    public async Task Filter_that_is_none_or_that_the_client_may_not_read_is_refused()
    {
        var client = await ConnectAsync();
        var reasons = (await client.SubscribeAsync(
        [
            new Subscription("$exclusive/", 0),
            new Subscription("$exclusive/$share/g/t", 0),
            new Subscription("$exclusive/$queue/t", 0),
            new Subscription("$exclusive/$exclusive/t", 0),
            new Subscription("$share/g/$exclusive/t", 0),
        ])).Reasons;
        Assert.Equal(Enumerable.Repeat(ReasonCode.TopicFilterInvalid, 5), reasons);
    }
}
