namespace Broker.Tests.T05_Session;

public sealed class SessionTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.1.4-4] [MQTT-3.2.2-1] [MQTT-3.2.2-3]
    [Theory, BothVersions]
    public async Task Session_present_is_right_in_every_case_MQTT_3_2_2_2(ProtocolVersion version)
    {
        var durable = ConnectOptions.Durable(version, Id());
        var clean = new ConnectOptions(version) { ClientId = Id(), Clean = true };
        async Task<bool> PresentAsync(ConnectOptions options)
        {
            var client = await ConnectAsync(options);
            await client.DisconnectAsync();
            return client.ConnAck.SessionPresent;
        }

        Assert.False(await PresentAsync(durable), "a new session");
        Assert.True(await PresentAsync(durable), "a session of before");
        Assert.True(await PresentAsync(durable), "a session of before, again");
        Assert.False(await PresentAsync(clean), "a clean start");
        Assert.False(await PresentAsync(durable), "a clean start without expiry leaves nothing");
        Assert.True(await PresentAsync(durable), "the new session");
    }

    // [MQTT-3.1.2-23] [MQTT-4.5.0-1]
    [Theory, BothVersions]
    public async Task Messages_of_an_absent_client_wait_in_order(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic("#"), 2);
        await before.DisconnectAsync();
        var publisher = await ConnectAsync(version);
        for (var number = 0; number < 50; number++)
        {
            await publisher.PublishAsync(Topic(), $"{number}", 1 + (number % 2));
        }

        var after = await ConnectAsync(options with { AcknowledgesByItself = true });

        for (var number = 0; number < 50; number++)
        {
            var message = await after.PickAsync(packet => packet.Type == PacketType.Publish, $"message {number}");
            Assert.Equal($"{number}", message.Text);
            Assert.Equal(1 + (number % 2), message.Qos);
            Assert.False(message.Dup, "sent for the first time");
        }
    }

    [Theory, BothVersions]
    public async Task Qos0_messages_wait_too_while_queue_qos0_is_on(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic(), 0);
        await before.DisconnectAsync();
        var publisher = await ConnectAsync(version);
        await publisher.SendPublishAsync(Topic(), "at most once");
        await publisher.PingAsync();

        var after = await ConnectAsync(options);

        await after.ExpectPublishAsync(Topic(), "at most once");
    }

    [Theory, BothVersions]
    public async Task Clean_start_forgets_subscriptions_and_messages_MQTT_3_1_2_4(ProtocolVersion version)
    {
        var durable = ConnectOptions.Durable(version, Id());
        var before = await ConnectAsync(durable);
        await before.SubscribeAsync(Topic(), 1);
        await before.DisconnectAsync();
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "forgotten", 1);

        var clean = await ConnectAsync(durable with { Clean = true });
        await clean.SubscribeAsync(Topic("marker"), 1);
        await publisher.PublishAsync(Topic(), "not subscribed", 1);
        await publisher.PublishAsync(Topic("marker"), "end", 1);

        Assert.False(clean.ConnAck.SessionPresent);
        await clean.ExpectPublishAsync(Topic("marker"), "end");
    }

    [Theory, BothVersions]
    public async Task Session_lasts_as_long_as_its_connection_MQTT_4_1_0_1(ProtocolVersion version)
    {
        // An interval that is over while the client is connected: it counts from the end of the connection.
        var options = ConnectOptions.Durable(version, Id(), expirySeconds: 4);
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 1);

        await Task.Delay(TimeSpan.FromMilliseconds(4500));
        await client.PublishAsync(Topic(), "still here", 1);
        await client.ExpectPublishAsync(Topic(), "still here");
        client.Abort();

        Assert.True((await ConnectAsync(options)).ConnAck.SessionPresent);
    }

    [Theory, BothVersions]
    public async Task Unsubscribe_is_remembered(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync([new Subscription(Topic("gone"), 1), new Subscription(Topic("stays"), 1)]);
        await before.UnsubscribeAsync(Topic("gone"));
        await before.DisconnectAsync();
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic("gone"), "unwanted", 1);
        await publisher.PublishAsync(Topic("stays"), "wanted", 1);

        var after = await ConnectAsync(options);

        await after.ExpectPublishAsync(Topic("stays"), "wanted");
    }

    [Theory, BothVersions]
    public async Task Retained_messages_are_not_sent_again_on_resume(ProtocolVersion version)
    {
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "kept", 1, retain: true);
        var options = ConnectOptions.Durable(version, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic(), 0);
        await before.ExpectPublishAsync(Topic(), "kept");
        await before.DisconnectAsync();

        var after = await ConnectAsync(options);
        await after.SendPublishAsync(Topic(), "end");

        await after.ExpectPublishAsync(Topic(), "end");
        await publisher.PublishAsync(Topic(), "", 1, retain: true);
    }
}
