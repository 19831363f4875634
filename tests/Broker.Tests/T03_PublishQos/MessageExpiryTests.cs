namespace Broker.Tests.T03_PublishQos;

public sealed class MessageExpiryTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Fact]
    public async Task Expired_message_is_not_delivered_and_the_others_are_MQTT_3_3_2_5()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 1);
        await client.DisconnectAsync();
        var publisher = await ConnectAsync();
        await PublishAsync(publisher, "short", 1);
        await PublishAsync(publisher, "long", 100);
        await publisher.PublishAsync(Topic(), "for ever", 1);

        await publisher.ExpectNothingAsync(TimeSpan.FromSeconds(2.1));
        client = await ConnectAsync(options);

        var second = await client.ExpectPublishAsync(Topic(), "long");
        Assert.InRange(second.Properties.Number(Prop.MessageExpiryInterval) ?? 0, 90u, 99u);
        var third = await client.ExpectPublishAsync(Topic(), "for ever");
        Assert.False(third.Properties.Has(Prop.MessageExpiryInterval));
    }

    [Fact]
    public async Task Expiry_interval_passes_through_when_delivered_at_once_MQTT_3_3_2_6()
    {
        var client = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 1);
        var publisher = await ConnectAsync();

        await PublishAsync(publisher, "message", 60);

        var message = await client.ExpectPublishAsync(Topic(), "message");
        Assert.InRange(message.Properties.Number(Prop.MessageExpiryInterval) ?? 0, 50u, 60u);
    }

    // [MQTT-3.3.2-6] [MQTT-4.3.3-7] [MQTT-4.4.0-1]
    [Fact]
    public async Task Of_what_was_sent_and_not_acknowledged_qos_1_expires_qos_2_does_not_and_the_rest_has_less_time_left()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic(), 2);
        var publisher = await ConnectAsync();
        await PublishAsync(publisher, "long", 100);

        // 2 s: what is sent has to reach the client before it expires, on a loaded machine too.
        await PublishAsync(publisher, "exactly once", 2, qos: 2);
        await PublishAsync(publisher, "short", 2);
        var sent = await before.ExpectPublishesAsync(3);
        Assert.Equal(["long", "exactly once", "short"], sent.Select(static message => message.Text));
        Assert.All(sent, static message => Assert.False(message.Dup));
        before.Abort();
        await publisher.ExpectNothingAsync(TimeSpan.FromSeconds(2.5));

        var after = await ConnectAsync(options);
        await publisher.PublishAsync(Topic(), "end", 1);

        var repeated = await after.ExpectPublishesAsync(2);
        Assert.Equal(
            [("long", sent[0].PacketId, true), ("exactly once", sent[1].PacketId, true)],
            repeated.Select(static message => (message.Text, message.PacketId, message.Dup)));
        Assert.InRange(repeated[0].Properties.Number(Prop.MessageExpiryInterval) ?? 0, 80u, 98u);
        Assert.InRange(repeated[1].Properties.Number(Prop.MessageExpiryInterval) ?? 0, 0u, 1u);
        await after.ExpectPublishAsync(Topic(), "end");
    }

    [Fact]
    public async Task Retained_message_expires()
    {
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(new PublishOptions(Topic(), "fades")
        {
            Qos = 1, Retain = true, Properties = new() { { Prop.MessageExpiryInterval, 1 } },
        });
        await (await SubscriberAsync(ProtocolVersion.Mqtt5, Topic())).ExpectPublishAsync(Topic(), "fades");

        await publisher.ExpectNothingAsync(TimeSpan.FromSeconds(2.1));

        var late = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic());
        await late.SendPublishAsync(Topic(), "end");
        await late.ExpectPublishAsync(Topic(), "end");
    }

    private async Task PublishAsync(ScriptedClient publisher, string payload, uint expiry, int qos = 1) =>
        await publisher.PublishAsync(new PublishOptions(Topic(), payload)
        {
            Qos = qos, Properties = new() { { Prop.MessageExpiryInterval, expiry } },
        });
}
