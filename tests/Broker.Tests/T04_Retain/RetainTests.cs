namespace Broker.Tests.T04_Retain;

public sealed class RetainTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-3.3.1-9]
    [Theory, EveryQos]
    public async Task New_subscriber_gets_the_last_retained_message_with_the_flag_MQTT_3_3_1_5(ProtocolVersion version, int qos)
    {
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "old", qos, retain: true);
        await publisher.PublishAsync(Topic(), "new", qos, retain: true);
        await publisher.PublishAsync(Topic(), "not retained", qos);
        await publisher.PingAsync();

        var subscriber = await SubscriberAsync(version, Topic(), 2);

        var message = await subscriber.ExpectPublishAsync(Topic(), "new");
        Assert.True(message.Retain);
        Assert.Equal(qos, message.Qos);
        await ClearAsync(Topic());
    }

    // [MQTT-3.3.1-7]
    [Theory, EveryVersion]
    public async Task Empty_payload_clears_and_is_delivered_itself_MQTT_3_3_1_6(ProtocolVersion version)
    {
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "kept", 1, retain: true);
        var present = await SubscriberAsync(version, Topic());
        await present.ExpectPublishAsync(Topic(), "kept");

        await publisher.PublishAsync(Topic(), "", 1, retain: true);

        await present.ExpectPublishAsync(Topic(), "");
        var late = await SubscriberAsync(version, Topic());
        await publisher.PublishAsync(Topic(), "end", 1);
        await late.ExpectPublishAsync(Topic(), "end");
    }

    [Theory, EveryVersion]
    public async Task Flag_is_cleared_for_subscribers_that_were_there_before_MQTT_3_3_1_12(ProtocolVersion version)
    {
        var subscriber = await SubscriberAsync(version, Topic());

        await subscriber.PublishAsync(Topic(), "live", 1, retain: true);

        var message = await subscriber.PickAsync(packet => packet.Type == PacketType.Publish, "PUBLISH");
        Assert.False(message.Retain);
        await ClearAsync(Topic());
    }

    // [MQTT-3.3.1-9]
    [Theory, EveryVersion]
    public async Task Wildcard_subscriber_gets_each_match_once(ProtocolVersion version)
    {
        var publisher = await ConnectAsync(version);
        var names = new[] { "a", "a/b", "a/b/c", "x", "x/b" };
        foreach (var name in names)
        {
            await publisher.PublishAsync(Topic(name), name, 1, retain: true);
        }

        async Task<IEnumerable<string>> RetainedAsync(string filter, int count)
        {
            var subscriber = await SubscriberAsync(version, Topic(filter));
            var messages = await subscriber.ExpectPublishesAsync(count);
            await subscriber.SendPublishAsync(Topic("x/b"), "end");
            if (filter is "#" or "+/b")
            {
                await subscriber.ExpectPublishAsync(Topic("x/b"), "end");
            }

            return messages.Select(message => message.Text).Order();
        }

        Assert.Equal(names.Order(), await RetainedAsync("#", 5));
        Assert.Equal(["a/b", "x/b"], await RetainedAsync("+/b", 2));
        Assert.Equal(["a", "a/b", "a/b/c"], await RetainedAsync("a/#", 3));
        Assert.Equal(["a", "x"], await RetainedAsync("+", 2));
        await Task.WhenAll(names.Select(name => ClearAsync(Topic(name))));
    }

    [Theory, BothVersions]
    public async Task Subscribing_again_sends_retained_messages_again_MQTT_3_8_4_4(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);
        await client.PublishAsync(Topic(), "kept", 1, retain: true);

        for (var round = 0; round < 3; round++)
        {
            await client.SubscribeAsync(Topic());
            await client.ExpectPublishAsync(Topic(), "kept");
        }

        await ClearAsync(Topic());
    }

    [Fact]
    public async Task Retained_messages_keep_their_properties_and_get_the_subscription_identifier()
    {
        var client = await ConnectAsync();
        await client.PublishAsync(new PublishOptions(Topic(), "kept")
        {
            Qos = 1, Retain = true, Properties = new() { { Prop.UserProperty, "key", "value" }, { Prop.ContentType, "x" } },
        });

        await client.SubscribeAsync(new Subscription(Topic()), new() { { Prop.SubscriptionIdentifier, 9 } });

        var properties = (await client.ExpectPublishAsync(Topic(), "kept")).Properties;
        Assert.Equal([("key", "value")], properties.User);
        Assert.Equal("x", properties.Text(Prop.ContentType));
        Assert.Equal(9u, properties.Number(Prop.SubscriptionIdentifier));
        await ClearAsync(Topic());
    }

    [Fact]
    public async Task Retained_message_outlives_the_session_of_its_publisher_MQTT311_3_1_2_7()
    {
        var publisher = await ConnectAsync(ProtocolVersion.Mqtt311);
        await publisher.PublishAsync(Topic(), "kept", 1, retain: true);
        await publisher.DisconnectAsync();

        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt311, Topic());

        await subscriber.ExpectPublishAsync(Topic(), "kept");
        await ClearAsync(Topic());
    }

    [Theory, BothVersions]
    public async Task Replay_is_paced_by_the_window_and_not_limited_by_it_or_the_queue(ProtocolVersion version)
    {
        // More than the in-flight window (100) and the queue (1000) together.
        const int Count = 1500;
        var publisher = await ConnectAsync(version);
        for (var number = 0; number < Count; number++)
        {
            await publisher.SendPublishAsync(Topic($"{number}"), $"{number}", retain: true);
        }

        await publisher.PublishAsync(Topic("last"), "last", 1, retain: true);
        var subscriber = await SubscriberAsync(version, Topic("#"), 1);
        var first = await subscriber.ExpectPublishesAsync(1);
        subscriber.AcknowledgesByItself = true;
        await subscriber.AckAsync(PacketType.PubAck, first[0].PacketId);
        var seen = new HashSet<string> { first[0].Topic };
        while (seen.Count < Count + 1)
        {
            var message = await subscriber.PickAsync(packet => packet.Type == PacketType.Publish, $"retained message {seen.Count}");
            Assert.True(seen.Add(message.Topic), $"{message.Topic} came twice");
            if (message.Qos == 1 && !subscriber.AcknowledgesByItself)
            {
                await subscriber.AckAsync(PacketType.PubAck, message.PacketId);
            }
        }

        for (var number = 0; number < Count; number++)
        {
            await publisher.SendPublishAsync(Topic($"{number}"), "", retain: true);
        }

        await publisher.PublishAsync(Topic("last"), "", 1, retain: true);
    }

    private async Task ClearAsync(string topic)
    {
        var client = await ConnectAsync();
        await client.PublishAsync(topic, "", 1, retain: true);
    }
}
