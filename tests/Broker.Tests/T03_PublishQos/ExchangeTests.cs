namespace Broker.Tests.T03_PublishQos;

/// <summary>Turns that the exchanges of QoS 1 and 2 may take (MQTT section 4.3).</summary>
public sealed class ExchangeTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Theory, EveryQos(lowest: 1)]
    // [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
    public async Task Dup_of_the_publisher_is_not_passed_on(ProtocolVersion version, int qos)
    {
        var subscriber = await SubscriberAsync(version, Topic(), qos);
        var publisher = await ConnectAsync(version);

        await publisher.PublishAsync(new PublishOptions(Topic(), "repeated, says its sender") { Qos = qos, Dup = true });

        Assert.False((await subscriber.ExpectPublishAsync(Topic(), "repeated, says its sender")).Dup);
    }

    [Theory, BothVersions]
    public async Task Packet_id_is_a_new_message_after_puback_whatever_dup_says_MQTT_4_3_2_5(ProtocolVersion version)
    {
        var subscriber = await SubscriberAsync(version, Topic());
        var publisher = await ConnectAsync(version);

        await publisher.PublishAsync(new PublishOptions(Topic(), "first") { Qos = 1, PacketId = 7 });
        await publisher.PublishAsync(new PublishOptions(Topic(), "second") { Qos = 1, PacketId = 7, Dup = true });

        await subscriber.ExpectPublishAsync(Topic(), "first");
        await subscriber.ExpectPublishAsync(Topic(), "second");
    }

    [Fact]
    public async Task Packet_id_is_a_new_message_after_a_pubrec_that_refused_MQTT_4_3_3_9()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 2);
        var publisher = await ConnectAsync();

        var refused = await publisher.PublishAsync(new PublishOptions("$SYS/forbidden", "x") { Qos = 2, PacketId = 7 });
        await publisher.PublishAsync(new PublishOptions(Topic(), "allowed") { Qos = 2, PacketId = 7 });

        Assert.Equal(ReasonCode.NotAuthorized, refused!.Reason);
        await subscriber.ExpectPublishAsync(Topic(), "allowed");
    }

    [Fact]
    public async Task Exchange_goes_on_after_the_message_has_expired_MQTT_4_3_3_13()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 2);
        var publisher = await ConnectAsync();

        await publisher.SendPublishAsync(Expiring("short") with { Qos = 2, PacketId = 3 });
        await publisher.ExpectAsync(PacketType.PubRec, 3);
        var message = await subscriber.ExpectPublishAsync(Topic(), "short");
        await WaitForExpiryAsync(message);
        await publisher.AckAsync(PacketType.PubRel, 3);
        await subscriber.AckAsync(PacketType.PubRec, message.PacketId);

        await publisher.ExpectAsync(PacketType.PubComp, 3);
        await subscriber.ExpectAsync(PacketType.PubRel, message.PacketId);
    }

    [Fact]
    public async Task Qos2_message_that_was_sent_does_not_expire_MQTT_4_3_3_7()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic(), 2);
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Expiring("sent in time") with { Qos = 2 });
        var sent = await before.ExpectPublishAsync(Topic(), "sent in time");
        before.Abort();
        await WaitForExpiryAsync(sent);

        var after = await ConnectAsync(options);

        var again = await after.ExpectPublishAsync(Topic(), "sent in time");
        Assert.Equal((sent.PacketId, true), (again.PacketId, again.Dup));
        await after.AckAsync(PacketType.PubRec, again.PacketId);
        await after.ExpectAsync(PacketType.PubRel, again.PacketId);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Message_that_the_client_refuses_is_not_sent_again_MQTT_4_4_0_2(int qos)
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic(), 2);
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "unwanted", qos);
        var message = await before.ExpectPublishAsync(Topic(), "unwanted");
        await before.AckAsync(qos == 1 ? PacketType.PubAck : PacketType.PubRec, message.PacketId, ReasonCode.QuotaExceeded);
        await before.PingAsync();
        before.Abort();

        var after = await ConnectAsync(options);
        await publisher.PublishAsync(Topic(), "next", qos);

        Assert.True(after.ConnAck.SessionPresent);
        await after.ExpectPublishAsync(Topic(), "next");
    }

    [Theory, BothVersions]
    public async Task Deliveries_that_have_begun_are_completed_after_unsubscribe_MQTT_3_10_4_3(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic(), 2);
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "one", 1);
        await publisher.PublishAsync(Topic(), "two", 2);
        var one = await before.ExpectPublishAsync(Topic(), "one");
        var two = await before.ExpectPublishAsync(Topic(), "two");

        await before.UnsubscribeAsync(Topic());
        await before.AckAsync(PacketType.PubRec, two.PacketId);
        await before.ExpectAsync(PacketType.PubRel, two.PacketId);
        before.Abort();

        // [MQTT-4.4.0-1]: what was begun is still owed on the next connection.
        var after = await ConnectAsync(options);
        await after.ExpectAsync(PacketType.PubRel, two.PacketId);
        Assert.Equal(one.PacketId, (await after.ExpectPublishAsync(Topic(), "one")).PacketId);
    }

    [Theory, BothVersions]
    public async Task Message_without_retain_leaves_the_retained_one_MQTT_3_3_1_8(ProtocolVersion version)
    {
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "kept", 1, retain: true);

        await publisher.PublishAsync(Topic(), "passing", 1);
        await publisher.PublishAsync(Topic(), "", 1);

        var late = await SubscriberAsync(version, Topic());
        await late.ExpectPublishAsync(Topic(), "kept");
        await publisher.PublishAsync(Topic(), "", 1, retain: true);
    }

    private PublishOptions Expiring(string payload) => new(Topic(), payload)
    {
        Properties = new() { { Prop.MessageExpiryInterval, 1 } },
    };

    // The interval counts from the broker's reception, which was before this packet came.
    private static Task WaitForExpiryAsync(ReceivedPacket message) =>
        Task.Delay(TimeSpan.FromSeconds(message.Properties.Number(Prop.MessageExpiryInterval) ?? 0) + TimeSpan.FromMilliseconds(100));
}
