namespace Broker.Tests.T07_Will;

public sealed class WillTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-3.1.2-7] [MQTT-3.1.2-9] [MQTT-3.1.2-14]
    [Theory, EveryVersion]
    public async Task Will_is_published_when_the_network_connection_breaks_MQTT_3_1_2_8(ProtocolVersion version)
    {
        var watcher = await SubscriberAsync(version, Topic(), 2);
        var client = await ConnectAsync(WithWill(version, new Will(Topic(), "gone", 1)));

        client.Abort();

        var will = await watcher.ExpectPublishAsync(Topic(), "gone");
        Assert.Equal((1, false), (will.Qos, will.Retain));
        var late = await SubscriberAsync(version, Topic());
        await late.SendPublishAsync(Topic(), "nothing was retained");
        await late.ExpectPublishAsync(Topic(), "nothing was retained");
    }

    // [MQTT-3.1.2-12] of 3.1.1
    [Theory, EveryVersion]
    public async Task Client_without_will_leaves_none(ProtocolVersion version)
    {
        var watcher = await SubscriberAsync(version, Topic("#"));
        var id = Id("again");
        (await ConnectAsync(new ConnectOptions(version) { ClientId = id, Will = new Will(Topic(), "first") })).Abort();
        await watcher.ExpectPublishAsync(Topic(), "first");

        // The same client, this time without: the Will of its last connection is not its own any more.
        (await ConnectAsync(new ConnectOptions(version) { ClientId = id })).Abort();

        await watcher.ExpectNothingAsync();
    }

    [Theory, EveryVersion]
    public async Task Will_is_published_when_the_client_half_closes_without_disconnect(ProtocolVersion version)
    {
        var watcher = await SubscriberAsync(version, Topic());
        var client = await ConnectAsync(WithWill(version, new Will(Topic(), "gone")));

        client.Shutdown();

        await watcher.ExpectPublishAsync(Topic(), "gone");
    }

    // [MQTT-3.14.4-3]
    [Theory, EveryVersion]
    public async Task Will_is_removed_by_disconnect_MQTT_3_1_2_10(ProtocolVersion version)
    {
        var watcher = await SubscriberAsync(version, Topic());
        var client = await ConnectAsync(WithWill(version, new Will(Topic(), "gone")));

        await client.DisconnectAsync();

        await watcher.ExpectNothingAsync();
    }

    [Fact]
    public async Task Will_is_published_on_disconnect_0x04()
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic());
        var client = await ConnectAsync(WithWill(ProtocolVersion.Mqtt5, new Will(Topic(), "gone")));

        await client.DisconnectAsync(ReasonCode.DisconnectWithWillMessage);

        await watcher.ExpectPublishAsync(Topic(), "gone");
    }

    [Theory, EveryVersion]
    public async Task Will_is_published_when_keep_alive_ends(ProtocolVersion version)
    {
        var watcher = await SubscriberAsync(version, Topic());
        await ConnectAsync(WithWill(version, new Will(Topic(), "gone")) with { KeepAlive = 1 });

        await watcher.ExpectPublishAsync(Topic(), "gone");
    }

    [Theory, EveryVersion]
    public async Task Will_is_published_after_a_protocol_error(ProtocolVersion version)
    {
        var watcher = await SubscriberAsync(version, Topic());
        var client = await ConnectAsync(WithWill(version, new Will(Topic(), "gone")));

        await client.SendAsync(Packets.Connect(client.Options));

        await watcher.ExpectPublishAsync(Topic(), "gone");
    }

    [Theory, EveryVersion]
    public async Task Retained_will_is_kept_for_late_subscribers_MQTT_3_1_2_15(ProtocolVersion version)
    {
        var watcher = await SubscriberAsync(version, Topic());
        var client = await ConnectAsync(WithWill(version, new Will(Topic(), "gone", 1, retain: true)));
        client.Abort();
        Assert.False((await watcher.ExpectPublishAsync(Topic(), "gone")).Retain);

        var late = await SubscriberAsync(version, Topic());

        Assert.True((await late.ExpectPublishAsync(Topic(), "gone")).Retain);
        await late.PublishAsync(Topic(), "", 1, retain: true);
    }

    [Fact]
    public async Task Takeover_publishes_the_will_of_a_3x_client()
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt311, Topic());
        var options = WithWill(ProtocolVersion.Mqtt311, new Will(Topic(), "taken over"));
        await ConnectAsync(options);

        await ConnectAsync(options with { Will = null });

        await watcher.ExpectPublishAsync(Topic(), "taken over");
    }

    // [MQTT-3.1.3-10]
    [Fact]
    public async Task Will_carries_its_properties()
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic());
        var will = new Will(Topic(), "gone")
        {
            Properties = new()
            {
                { Prop.ContentType, "text/plain" }, { Prop.ResponseTopic, "r" }, { Prop.CorrelationData, [1, 2] },
                { Prop.PayloadFormatIndicator, 1 }, { Prop.MessageExpiryInterval, 100 },
                { Prop.UserProperty, "z", "1" }, { Prop.UserProperty, "a", "2" }, { Prop.UserProperty, "z", "3" },
            },
        };
        (await ConnectAsync(WithWill(ProtocolVersion.Mqtt5, will))).Abort();

        var properties = (await watcher.ExpectPublishAsync(Topic(), "gone")).Properties;
        Assert.Equal("text/plain", properties.Text(Prop.ContentType));
        Assert.Equal("r", properties.Text(Prop.ResponseTopic));
        Assert.Equal([1, 2], properties.Bytes(Prop.CorrelationData));
        Assert.Equal(1u, properties.Number(Prop.PayloadFormatIndicator));
        Assert.InRange(properties.Number(Prop.MessageExpiryInterval) ?? 0, 90u, 100u);
        Assert.Equal([("z", "1"), ("a", "2"), ("z", "3")], properties.User);
        Assert.False(properties.Has(Prop.WillDelayInterval));
    }

    // [MQTT-3.1.4-2] [MQTT-3.2.2-7]
    [Theory, EveryVersion]
    public async Task Will_with_a_topic_beyond_the_limits_is_refused(ProtocolVersion version)
    {
        var deepest = string.Join('/', Enumerable.Repeat("w", 128));
        var longest = new string('w', 4096);
        await ConnectAsync(WithWill(version, new Will(deepest, "gone")));
        await ConnectAsync(WithWill(version, new Will(longest, "gone")));

        foreach (var topic in (string[])[deepest + "/w", longest + "w"])
        {
            var refused = await AttemptAsync(WithWill(version, new Will(topic, "gone")));

            var answer = await refused.ExpectAsync(PacketType.ConnAck);
            Assert.Equal(version == ProtocolVersion.Mqtt5 ? ReasonCode.TopicNameInvalid : (ReasonCode)3, answer.Reason);
            await refused.ExpectCloseAsync();
        }
    }

    private ConnectOptions WithWill(ProtocolVersion version, Will will) => new(version) { ClientId = Id("will"), Will = will };
}
