namespace Broker.Tests.T02_Subscribe;

public sealed class SubscriptionLimitTests() : OwnBrokerTest(("Limits:MaxSubscriptionsPerClient", "2"))
{
    // [MQTT-3.8.4-3]
    [OwnTheory, BothVersions]
    public async Task Filter_beyond_the_limit_is_refused_and_one_that_is_there_may_be_changed(ProtocolVersion version)
    {
        var refusal = version == ProtocolVersion.Mqtt5 ? ReasonCode.QuotaExceeded : ReasonCode.UnspecifiedError;
        var client = await ConnectAsync(version);
        Subscription[] filters = [new(Topic("a"), 0), new(Topic("b"), 0), new(Topic("c"), 0)];
        Assert.Equal([ReasonCode.Success, ReasonCode.Success, refusal], (await client.SubscribeAsync(filters)).Reasons);

        // A client that comes back subscribes to all of its filters again.
        var again = await client.SubscribeAsync([.. filters.AsEnumerable().Reverse().Select(static f => f with { Qos = 1 })]);
        Assert.Equal([refusal, ReasonCode.GrantedQoS1, ReasonCode.GrantedQoS1], again.Reasons);

        await client.UnsubscribeAsync(Topic("a"));
        Assert.Equal([ReasonCode.Success], (await client.SubscribeAsync(Topic("c"))).Reasons);
    }
}
