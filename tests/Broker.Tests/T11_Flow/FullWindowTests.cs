namespace Broker.Tests.T11_Flow;

public sealed class FullWindowTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Fact]
    public async Task Client_whose_window_is_full_is_answered_and_heard_all_the_same_MQTT_3_3_4_10_MQTT_4_9_0_3()
    {
        var client = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.ReceiveMaximum, 1 } } });
        await client.SubscribeAsync(Topic("in"), 2);
        var listener = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("out"), 2);
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic("in"), "fills the window", 2);
        await publisher.PublishAsync(Topic("in"), "waits", 1);
        var open = await client.ExpectPublishAsync(Topic("in"), "fills the window");

        await client.PublishAsync(Topic("out"), "qos 1", 1);
        await client.PublishAsync(Topic("out"), "qos 2", 2);
        await client.SubscribeAsync(Topic("other"));
        await client.UnsubscribeAsync(Topic("other"));
        await client.PingAsync();

        await listener.ExpectPublishAsync(Topic("out"), "qos 1");
        await listener.ExpectPublishAsync(Topic("out"), "qos 2");
        await client.AckAsync(PacketType.PubRec, open.PacketId);
        await client.ExpectAsync(PacketType.PubRel, open.PacketId);
        await client.AckAsync(PacketType.PubComp, open.PacketId);
        await client.ExpectPublishAsync(Topic("in"), "waits");
    }
}
