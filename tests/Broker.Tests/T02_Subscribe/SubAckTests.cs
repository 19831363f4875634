namespace Broker.Tests.T02_Subscribe;

public sealed class SubAckTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-2.2.1-6] [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.8.4-7] [MQTT-3.9.3-1]
    [Theory, EveryVersion]
    public async Task Suback_has_one_code_per_filter_in_their_order_MQTT_3_8_4_6(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);

        var granted = await client.SubscribeAsync(
            [new Subscription(Topic("a"), 2), new Subscription(Topic("b"), 0), new Subscription(Topic("c"), 1)]);

        Assert.Equal([ReasonCode.GrantedQoS2, ReasonCode.Success, ReasonCode.GrantedQoS1], granted.Reasons);
    }

    // [MQTT-3.10.4-2] [MQTT-3.10.4-4]
    [Theory, EveryVersion]
    public async Task Unsubscribed_filter_gets_nothing_more_MQTT_3_10_4_1(ProtocolVersion version)
    {
        var client = await SubscriberAsync(version, Topic("gone"));
        await client.SubscribeAsync(Topic("stays"));

        await client.UnsubscribeAsync(Topic("gone"));
        await client.SendPublishAsync(Topic("gone"), "lost on nobody");
        await client.SendPublishAsync(Topic("stays"), "end");

        await client.ExpectPublishAsync(Topic("stays"), "end");
    }

    // [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1]
    [Fact]
    public async Task Unsuback_tells_which_subscription_existed_0x11()
    {
        var client = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("a/+"));

        var answer = await client.UnsubscribeAsync(Topic("a/b"), Topic("a/+"), Topic("a/+"));

        Assert.Equal(
            [ReasonCode.NoSubscriptionExisted, ReasonCode.Success, ReasonCode.NoSubscriptionExisted], answer.Reasons);
    }

    // [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6]
    [Theory, EveryVersion]
    public async Task Unsuback_comes_once_for_all_filters_whether_they_existed_or_not(ProtocolVersion version)
    {
        var client = await SubscriberAsync(version, Topic("one"));
        await client.SubscribeAsync(Topic("two"));

        await client.UnsubscribeAsync(Topic("one"), Topic("never"), Topic("two"));
        await client.UnsubscribeAsync(Topic("one"));

        await client.SendPublishAsync(Topic("one"), "nobody's");
        await client.SendPublishAsync(Topic("two"), "nobody's");
        await client.PingAsync();
        await client.ExpectNothingAsync();
    }

    // [MQTT-3.9.3-2] [MQTT-3.9.3-2] of 3.1.1
    [Theory, EveryVersion]
    public async Task Refused_filter_has_the_code_of_its_version(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);

        var answer = await client.SubscribeAsync([new Subscription(new string('f', 4097)), new Subscription(Topic(), 2)]);

        var refused = version == ProtocolVersion.Mqtt5 ? ReasonCode.TopicFilterInvalid : ReasonCode.UnspecifiedError;
        Assert.Equal([refused, ReasonCode.GrantedQoS2], answer.Reasons);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/#/b")]
    [InlineData("a#")]
    [InlineData("#/a")]
    [InlineData("a+")]
    [InlineData("a/+b/c")]
    public async Task Malformed_filter_is_never_granted_MQTT_4_7_1_1(string filter)
    {
        var client = await ConnectAsync();

        await client.SendAsync(Packets.Subscribe(client.Version, 1, [new Subscription(filter)]));

        var answer = await client.NextAsync();
        var reason = answer.Type == PacketType.SubAck ? answer.Reasons[0] : answer.Reason;
        Assert.Contains(reason, (ReasonCode[])[ReasonCode.TopicFilterInvalid, ReasonCode.MalformedPacket, ReasonCode.ProtocolError]);
    }

    // [MQTT-3.8.4-5]
    [Fact]
    public async Task Many_filters_in_one_subscribe_are_all_granted()
    {
        var client = await ConnectAsync();
        var filters = Enumerable.Range(0, 2000).Select(number => new Subscription(Topic($"{number}"), number % 3)).ToList();

        var answer = await client.SubscribeAsync(filters);

        Assert.Equal(filters.Select(filter => (ReasonCode)filter.Qos), answer.Reasons);
        await client.SendPublishAsync(Topic("1999"), "the last");
        await client.ExpectPublishAsync(Topic("1999"), "the last");
    }
}
