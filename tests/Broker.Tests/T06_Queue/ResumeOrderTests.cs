namespace Broker.Tests.T06_Queue;

public sealed class ResumeOrderTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-2.2.1-4] [MQTT-3.3.1-1] [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.3.2-3] [MQTT-4.3.3-1] [MQTT-4.3.3-2]
    // [MQTT-4.3.3-3] [MQTT-4.3.3-5] [MQTT-4.6.0-1]
    [Theory, BothVersions]
    public async Task Resume_sends_pubrel_then_in_flight_with_dup_then_the_queue_MQTT_4_4_0_1(ProtocolVersion version)
    {
        var options = Limited(ConnectOptions.Durable(version, Id()), 100);
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic(), 2);
        var publisher = await ConnectAsync(version);
        for (var number = 0; number < 6; number++)
        {
            await publisher.PublishAsync(Topic(), $"{number}", number % 2 == 0 ? 2 : 1);
        }

        var sent = await before.ExpectPublishesAsync(6);
        foreach (var number in (int[])[2, 4])
        {
            await before.AckAsync(PacketType.PubRec, sent[number].PacketId);
            await before.ExpectAsync(PacketType.PubRel, sent[number].PacketId);
        }

        await before.AckAsync(PacketType.PubAck, sent[1].PacketId);
        await before.PingAsync();
        await before.DisconnectAsync();
        await before.ExpectCloseAsync();
        await publisher.PublishAsync(Topic(), "queued", 1);

        var after = await ConnectAsync(options);

        await after.ExpectAsync(PacketType.PubRel, sent[2].PacketId);
        await after.ExpectAsync(PacketType.PubRel, sent[4].PacketId);
        foreach (var number in (int[])[0, 3, 5])
        {
            var again = await after.ExpectPublishAsync(Topic(), $"{number}");
            Assert.Equal(sent[number].PacketId, again.PacketId);
            Assert.True(again.Dup);
            Assert.Equal(sent[number].Qos, again.Qos);
        }

        var queued = await after.ExpectPublishAsync(Topic(), "queued");
        Assert.False(queued.Dup);
        Assert.DoesNotContain(queued.PacketId, sent.Where((_, number) => number != 1).Select(message => message.PacketId));
    }

    [Fact]
    public async Task Resume_keeps_to_a_smaller_receive_maximum()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var before = await ConnectAsync(Limited(options, 10));
        await before.SubscribeAsync(Topic(), 1);
        var publisher = await ConnectAsync();
        for (var number = 0; number < 10; number++)
        {
            await publisher.PublishAsync(Topic(), $"{number}", 1);
        }

        await before.ExpectPublishesAsync(10);
        before.Abort();

        var after = await ConnectAsync(Limited(options, 2));

        var open = new Queue<ushort>();
        for (var number = 0; number < 10; number++)
        {
            if (number >= 2)
            {
                await after.PingAsync();
                await after.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
                await after.AckAsync(PacketType.PubAck, open.Dequeue());
            }

            open.Enqueue((await after.ExpectPublishAsync(Topic(), $"{number}")).PacketId);
        }
    }

    [Theory, BothVersions]
    public async Task Resume_repeats_until_acknowledged_and_not_after(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 1);
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "stubborn", 1);
        var first = await client.ExpectPublishAsync(Topic(), "stubborn");

        for (var round = 0; round < 3; round++)
        {
            client.Abort();
            client = await ConnectAsync(options);
            var again = await client.ExpectPublishAsync(Topic(), "stubborn");
            Assert.True(again.Dup);
            Assert.Equal(first.PacketId, again.PacketId);
        }

        await client.AckAsync(PacketType.PubAck, first.PacketId);
        await client.DisconnectAsync();
        client = await ConnectAsync(options);
        await publisher.PublishAsync(Topic(), "end", 1);
        await client.ExpectPublishAsync(Topic(), "end");
    }

    private static ConnectOptions Limited(ConnectOptions options, uint receiveMaximum)
    {
        if (options.Version != ProtocolVersion.Mqtt5)
        {
            return options;
        }

        return options with
        {
            Properties = new() { { Prop.SessionExpiryInterval, 3600 }, { Prop.ReceiveMaximum, receiveMaximum } },
        };
    }
}
