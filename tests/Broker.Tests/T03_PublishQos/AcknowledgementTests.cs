namespace Broker.Tests.T03_PublishQos;

public sealed class AcknowledgementTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-2.2.1-5] [MQTT-3.3.4-1] [MQTT-4.3.3-8]
    [Theory, EveryQos(1)]
    public async Task Publish_is_acknowledged_with_its_packet_id_MQTT_4_3_2_4(ProtocolVersion version, int qos)
    {
        await SubscriberAsync(version, Topic());
        var publisher = await ConnectAsync(version);

        await publisher.SendPublishAsync(Topic(), "message", qos, id: 65535);

        var answer = await publisher.ExpectAsync(qos == 1 ? PacketType.PubAck : PacketType.PubRec, 65535);
        Assert.Equal(ReasonCode.Success, answer.Reason);
    }

    [Theory, EveryQos(1)]
    public async Task Publish_without_subscriber_says_so_0x10(ProtocolVersion version, int qos)
    {
        var publisher = await ConnectAsync(version);

        var answer = await publisher.PublishAsync(Topic(), "nobody", qos);

        var expected = version == ProtocolVersion.Mqtt5 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success;
        Assert.Equal(expected, answer!.Reason);
    }

    [Theory, BothVersions]
    public async Task Qos2_message_is_delivered_once_MQTT_4_3_3_10(ProtocolVersion version)
    {
        var subscriber = await SubscriberAsync(version, Topic(), 2);
        var publisher = await ConnectAsync(version);
        var message = new PublishOptions(Topic(), "once") { Qos = 2, PacketId = 7 };

        await publisher.SendPublishAsync(message);
        await publisher.ExpectAsync(PacketType.PubRec, 7);
        await publisher.SendPublishAsync(message with { Dup = true });
        await publisher.ExpectAsync(PacketType.PubRec, 7);
        await publisher.AckAsync(PacketType.PubRel, 7);
        await publisher.ExpectAsync(PacketType.PubComp, 7);
        await publisher.PublishAsync(Topic(), "end", 2);

        await subscriber.ExpectPublishAsync(Topic(), "once");
        await subscriber.ExpectPublishAsync(Topic(), "end");
    }

    // [MQTT-4.3.3-12] [MQTT-4.3.3-11]
    [Theory, BothVersions]
    public async Task Packet_id_is_free_for_another_message_after_pubrel(ProtocolVersion version)
    {
        var subscriber = await SubscriberAsync(version, Topic(), 2);
        var publisher = await ConnectAsync(version);

        foreach (var payload in (string[])["first", "second", "third"])
        {
            await publisher.PublishAsync(new PublishOptions(Topic(), payload) { Qos = 2, PacketId = 1 });
            await subscriber.ExpectPublishAsync(Topic(), payload);
        }
    }

    // [MQTT-4.3.3-11]
    [Theory, BothVersions]
    public async Task Pubrel_repeated_is_answered_with_pubcomp_again(ProtocolVersion version)
    {
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(new PublishOptions(Topic(), "message") { Qos = 2, PacketId = 5 });

        await publisher.AckAsync(PacketType.PubRel, 5);

        var answer = await publisher.ExpectAsync(PacketType.PubComp, 5);
        var expected = version == ProtocolVersion.Mqtt5 ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success;
        Assert.Equal(expected, answer.Reason);
    }

    [Theory, BothVersions]
    public async Task Acknowledgements_come_in_the_order_of_the_publishes_MQTT_4_6_0_2(ProtocolVersion version)
    {
        await SubscriberAsync(version, Topic());
        var publisher = await ConnectAsync(version);
        ushort[] ids = [300, 2, 65535, 1, 77];
        var packets = ids.SelectMany(id => Packets.Publish(version, new PublishOptions(Topic(), "m") { Qos = 1, PacketId = id }));

        await publisher.SendAsync(packets.ToArray());

        foreach (var id in ids)
        {
            await publisher.ExpectAsync(PacketType.PubAck, id);
        }
    }

    // [MQTT-2.2.1-5] [MQTT-4.3.3-4]
    // [MQTT-4.6.0-3]
    [Theory, BothVersions]
    public async Task Pubrecs_and_pubcomps_come_in_the_order_of_what_they_answer(ProtocolVersion version)
    {
        await SubscriberAsync(version, Topic(), 1);
        var publisher = await ConnectAsync(version);
        ushort[] ids = [300, 2, 65535, 1, 77];
        var packets = ids.SelectMany(id => Packets.Publish(version, new PublishOptions(Topic(), "m") { Qos = 2, PacketId = id }));

        await publisher.SendAsync(packets.ToArray());
        foreach (var id in ids)
        {
            await publisher.ExpectAsync(PacketType.PubRec, id);
        }

        await publisher.SendAsync(ids.SelectMany(id => Packets.Ack(PacketType.PubRel, id)).ToArray());
        foreach (var id in ids)
        {
            await publisher.ExpectAsync(PacketType.PubComp, id);
        }
    }

    // [MQTT-4.6.0-4]
    [Theory, BothVersions]
    public async Task Pubrels_come_in_the_order_of_the_pubrecs(ProtocolVersion version)
    {
        var subscriber = await SubscriberAsync(version, Topic(), 2);
        var publisher = await ConnectAsync(version);
        for (var i = 0; i < 5; i++)
        {
            await publisher.PublishAsync(Topic(), $"{i}", 2);
        }

        var order = (await subscriber.ExpectPublishesAsync(5)).Select(message => message.PacketId).Reverse().ToList();
        await subscriber.SendAsync(order.SelectMany(id => Packets.Ack(PacketType.PubRec, id)).ToArray());

        foreach (var id in order)
        {
            await subscriber.ExpectAsync(PacketType.PubRel, id);
        }
    }

    [Theory, BothVersions]
    public async Task Outbound_qos2_runs_through_all_four_packets(ProtocolVersion version)
    {
        var subscriber = await SubscriberAsync(version, Topic(), 2);
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "message", 2);

        var message = await subscriber.ExpectPublishAsync(Topic(), "message");
        await subscriber.AckAsync(PacketType.PubRec, message.PacketId);
        var release = await subscriber.ExpectAsync(PacketType.PubRel, message.PacketId);
        await subscriber.AckAsync(PacketType.PubComp, message.PacketId);

        Assert.Equal(2, release.Flags);
        await subscriber.PingAsync();
        await subscriber.ExpectNothingAsync();
    }

    // [MQTT-4.4.0-2]
    [Fact]
    public async Task Pubrec_with_an_error_ends_the_exchange_without_pubrel()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 2);
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "unwanted", 2);
        var message = await subscriber.ExpectPublishAsync(Topic(), "unwanted");

        await subscriber.AckAsync(PacketType.PubRec, message.PacketId, ReasonCode.UnspecifiedError);
        await publisher.PublishAsync(Topic(), "next", 2);

        await subscriber.ExpectPublishAsync(Topic(), "next");
    }

    [Theory, BothVersions]
    public async Task Acknowledgement_of_an_unknown_packet_id_harms_nothing(ProtocolVersion version)
    {
        var client = await SubscriberAsync(version, Topic(), 1);

        await client.AckAsync(PacketType.PubAck, 999);
        await client.AckAsync(PacketType.PubComp, 998);

        await client.SendPublishAsync(Topic(), "goes on");
        await client.ExpectPublishAsync(Topic(), "goes on");
    }

    [Fact]
    public async Task Pubrec_for_an_unknown_packet_id_is_answered_with_0x92()
    {
        var client = await ConnectAsync();

        await client.AckAsync(PacketType.PubRec, 997);

        var answer = await client.ExpectAsync(PacketType.PubRel, 997);
        Assert.Equal(ReasonCode.PacketIdentifierNotFound, answer.Reason);
    }

    // [MQTT-4.8.0-1] of 3.1.1. What is in flight stays: it comes again on the next connection.
    [Theory]
    [InlineData(ProtocolVersion.Mqtt311, 1, PacketType.PubRec)]
    [InlineData(ProtocolVersion.Mqtt311, 2, PacketType.PubAck)]
    [InlineData(ProtocolVersion.Mqtt5, 1, PacketType.PubRec)]
    [InlineData(ProtocolVersion.Mqtt5, 1, PacketType.PubComp)]
    [InlineData(ProtocolVersion.Mqtt5, 2, PacketType.PubAck)]
    [InlineData(ProtocolVersion.Mqtt5, 2, PacketType.PubComp)]
    public async Task Acknowledgement_of_the_wrong_kind_ends_the_connection_and_acknowledges_nothing_MQTT_4_13_1_1(
        ProtocolVersion version, int qos, PacketType wrong)
    {
        var options = ConnectOptions.Durable(version, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), qos);
        var publisher = await ConnectAsync(version);
        await publisher.SendPublishAsync(new PublishOptions(Topic(), "message") { Qos = qos, PacketId = 1 });
        var sent = await client.ExpectAsync(PacketType.Publish);

        await client.AckAsync(wrong, sent.PacketId);

        await ExpectProtocolErrorAsync(client, version);
        var again = await ConnectAsync(options);
        var repeated = await again.ExpectPublishAsync(Topic(), "message");
        Assert.Equal((sent.PacketId, true), (repeated.PacketId, repeated.Dup));
    }

    // [MQTT-4.8.0-1] of 3.1.1, [MQTT-4.13.1-1]
    [Theory, BothVersions]
    public async Task Puback_for_a_released_message_ends_the_connection(ProtocolVersion version)
    {
        var client = await SubscriberAsync(version, Topic(), 2);
        var publisher = await ConnectAsync(version);
        await publisher.SendPublishAsync(new PublishOptions(Topic(), "message") { Qos = 2, PacketId = 1 });
        var sent = await client.ExpectAsync(PacketType.Publish);
        await client.AckAsync(PacketType.PubRec, sent.PacketId);
        await client.ExpectAsync(PacketType.PubRel, sent.PacketId);

        await client.AckAsync(PacketType.PubAck, sent.PacketId);

        await ExpectProtocolErrorAsync(client, version);
    }

    private static async Task ExpectProtocolErrorAsync(ScriptedClient client, ProtocolVersion version)
    {
        if (version == ProtocolVersion.Mqtt5)
        {
            await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
        }

        await client.ExpectCloseAsync();
    }
}
