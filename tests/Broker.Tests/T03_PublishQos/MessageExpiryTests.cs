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

    private async Task PublishAsync(ScriptedClient publisher, string payload, uint expiry) =>
        await publisher.PublishAsync(new PublishOptions(Topic(), payload)
        {
            Qos = 1, Properties = new() { { Prop.MessageExpiryInterval, expiry } },
        });
}
