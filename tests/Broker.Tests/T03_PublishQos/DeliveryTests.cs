namespace Broker.Tests.T03_PublishQos;

public sealed class DeliveryTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Theory]
    [InlineData(0, 2, 0)]
    [InlineData(1, 0, 0)]
    [InlineData(1, 2, 1)]
    [InlineData(2, 0, 0)]
    [InlineData(2, 1, 1)]
    [InlineData(2, 2, 2)]
    public async Task Delivered_qos_is_the_lower_of_published_and_granted_MQTT_3_8_4_8(int published, int granted, int delivered)
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt311, Topic(), granted);
        var publisher = await ConnectAsync(ProtocolVersion.Mqtt5);

        await publisher.PublishAsync(Topic(), "message", published);

        Assert.Equal(delivered, (await subscriber.ExpectPublishAsync(Topic(), "message")).Qos);
    }

    // [MQTT-2.2.1-2] [MQTT-4.3.1-1]
    [Theory, EveryQos]
    public async Task Payload_arrives_byte_for_byte_whatever_its_size(ProtocolVersion version, int qos)
    {
        var subscriber = await SubscriberAsync(version, Topic(), qos);
        subscriber.AcknowledgesByItself = true;
        var publisher = await ConnectAsync(version);

        foreach (var size in (int[])[0, 1, 127, 128, 16_383, 16_384, 100_000, 1_000_000])
        {
            var payload = new byte[size];
            new Random(size).NextBytes(payload);
            await publisher.PublishAsync(new PublishOptions(Topic(), payload) { Qos = qos });
            var received = await subscriber.PickAsync(packet => packet.Type == PacketType.Publish, $"message of {size} bytes");
            Assert.True(payload.AsSpan().SequenceEqual(received.Payload), $"{size} bytes came out different");
        }
    }

    // [MQTT-4.6.0-5]
    [Theory, EveryQos]
    public async Task Messages_of_one_publisher_arrive_in_order_MQTT_4_6_0_6(ProtocolVersion version, int qos)
    {
        const int Count = 500;
        var subscriber = await SubscriberAsync(version, Topic(), qos);
        subscriber.AcknowledgesByItself = true;
        var publisher = await ConnectAsync(version);
        publisher.AcknowledgesByItself = true;

        for (var number = 0; number < Count; number++)
        {
            // 50 open at a time: within the Receive Maximum and the limit of unreleased QoS 2 messages.
            if (qos > 0 && number >= 50)
            {
                var done = qos == 1 ? PacketType.PubAck : PacketType.PubComp;
                await publisher.PickAsync(packet => packet.Type == done, $"{done}");
            }

            await publisher.SendPublishAsync(Topic(), $"{number}", qos);
        }

        for (var number = 0; number < Count; number++)
        {
            var message = await subscriber.PickAsync(packet => packet.Type == PacketType.Publish, $"message {number}");
            Assert.Equal($"{number}", message.Text);
        }
    }

    // [MQTT-4.5.0-1]
    [Theory, EveryVersion]
    public async Task Every_subscriber_gets_its_copy(ProtocolVersion version)
    {
        var subscribers = new List<ScriptedClient>();
        for (var number = 0; number < 20; number++)
        {
            subscribers.Add(await SubscriberAsync(version, number % 2 == 0 ? Topic() : Topic("#"), number % 3));
        }

        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "to all", 2);

        foreach (var subscriber in subscribers)
        {
            await subscriber.ExpectPublishAsync(Topic(), "to all");
        }
    }

    // [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-20]
    [Fact]
    public async Task Message_properties_pass_through_unaltered_and_in_order_MQTT_3_3_2_18()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 1);
        var publisher = await ConnectAsync();

        await publisher.PublishAsync(new PublishOptions(Topic(), "text")
        {
            Qos = 1,
            Properties = new()
            {
                { Prop.PayloadFormatIndicator, 1 },
                { Prop.ContentType, "text/plain" },
                { Prop.ResponseTopic, "answer/here" },
                { Prop.CorrelationData, [0, 1, 255] },
                { Prop.UserProperty, "b", "1" },
                { Prop.UserProperty, "a", "2" },
                { Prop.UserProperty, "b", "3" },
            },
        });

        var properties = (await subscriber.ExpectPublishAsync(Topic(), "text")).Properties;
        Assert.Equal(1u, properties.Number(Prop.PayloadFormatIndicator));
        Assert.Equal("text/plain", properties.Text(Prop.ContentType));
        Assert.Equal("answer/here", properties.Text(Prop.ResponseTopic));
        Assert.Equal([0, 1, 255], properties.Bytes(Prop.CorrelationData));
        Assert.Equal([("b", "1"), ("a", "2"), ("b", "3")], properties.User);
    }

    [Fact]
    public async Task Message_with_properties_reaches_3x_clients_without_them()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt311, Topic(), 1);
        var publisher = await ConnectAsync();

        await publisher.PublishAsync(new PublishOptions(Topic(), "text")
        {
            Qos = 1,
            Properties = new() { { Prop.ContentType, "text/plain" }, { Prop.UserProperty, "a", "b" } },
        });

        await subscriber.ExpectPublishAsync(Topic(), "text");
    }
}
