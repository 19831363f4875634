namespace Broker.Tests.T06_Queue;

public sealed class InflightWindowTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-4.3.2-3]
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Receive_maximum_of_the_client_bounds_what_is_in_flight_MQTT_3_3_4_9(uint maximum)
    {
        var client = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.ReceiveMaximum, maximum } } });
        await client.SubscribeAsync(Topic(), 1);
        var publisher = await ConnectAsync();
        for (var number = 0; number < 10; number++)
        {
            await publisher.PublishAsync(Topic(), $"{number}", 1);
        }

        var open = new Queue<ushort>();
        for (var number = 0; number < 10; number++)
        {
            if (number >= maximum)
            {
                await client.PingAsync();
                await client.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
                await client.AckAsync(PacketType.PubAck, open.Dequeue());
            }

            open.Enqueue((await client.ExpectPublishAsync(Topic(), $"{number}")).PacketId);
        }
    }

    // [MQTT-2.2.1-4] [MQTT-4.3.2-1]
    [Fact]
    public async Task Window_is_100_when_the_client_sets_none()
    {
        var client = await SubscriberAsync(ProtocolVersion.Mqtt311, Topic(), 1);
        var publisher = await ConnectAsync();
        for (var number = 0; number < 110; number++)
        {
            await publisher.PublishAsync(Topic(), $"{number}", 1);
        }

        var sent = await client.ExpectPublishesAsync(100);
        await client.PingAsync();
        await client.ExpectNothingAsync();
        Assert.Equal(100, sent.Select(message => message.PacketId).Distinct().Count());

        await client.AckAsync(PacketType.PubAck, sent[0].PacketId);
        await client.ExpectPublishAsync(Topic(), "100");
    }

    // [MQTT-4.9.0-2]
    [Fact]
    public async Task Qos2_holds_its_place_until_pubcomp()
    {
        var client = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.ReceiveMaximum, 1 } } });
        await client.SubscribeAsync(Topic(), 2);
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "first", 2);
        await publisher.PublishAsync(Topic(), "second", 2);

        var first = await client.ExpectPublishAsync(Topic(), "first");
        await client.AckAsync(PacketType.PubRec, first.PacketId);
        await client.ExpectAsync(PacketType.PubRel, first.PacketId);
        await client.PingAsync();
        await client.ExpectNothingAsync();
        await client.AckAsync(PacketType.PubComp, first.PacketId);

        await client.ExpectPublishAsync(Topic(), "second");
    }

    [Fact]
    public async Task Qos0_passes_a_full_window()
    {
        var client = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.ReceiveMaximum, 1 } } });
        await client.SubscribeAsync(Topic("#"), 1);
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "fills it", 1);
        await client.ExpectPublishAsync(Topic(), "fills it");

        await publisher.SendPublishAsync(Topic("other"), "passes");

        await client.ExpectPublishAsync(Topic("other"), "passes");
    }

    [Fact]
    public async Task Slow_window_of_one_client_does_not_hold_another()
    {
        var slow = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 1);
        var fast = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 1);
        fast.AcknowledgesByItself = true;
        var publisher = await ConnectAsync();

        for (var number = 0; number < 300; number++)
        {
            await publisher.PublishAsync(Topic(), $"{number}", 1);
        }

        Assert.Equal("299", (await fast.ExpectPublishesAsync(300))[299].Text);
        Assert.Equal("99", (await slow.ExpectPublishesAsync(100))[99].Text);
    }
}
