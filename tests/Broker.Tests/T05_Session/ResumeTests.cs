using System.Diagnostics;

namespace Broker.Tests.T05_Session;

/// <summary>QoS 2 state of both directions over a reconnect.</summary>
public sealed class ResumeTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Theory, BothVersions]
    public async Task Qos2_publish_repeated_after_a_reconnect_is_routed_once_MQTT_4_3_3_10(ProtocolVersion version)
    {
        var subscriber = await SubscriberAsync(version, Topic(), 2);
        subscriber.AcknowledgesByItself = true;
        var options = ConnectOptions.Durable(version, Id());
        var message = new PublishOptions(Topic(), "once") { Qos = 2, PacketId = 11 };
        var before = await ConnectAsync(options);
        await before.SendPublishAsync(message);
        await before.ExpectAsync(PacketType.PubRec, 11);
        before.Abort();

        var after = await ConnectAsync(options);
        await after.SendPublishAsync(message with { Dup = true });
        await after.ExpectAsync(PacketType.PubRec, 11);
        await after.AckAsync(PacketType.PubRel, 11);
        await after.ExpectAsync(PacketType.PubComp, 11);
        await after.PublishAsync(Topic(), "end", 2);

        Assert.True(after.ConnAck.SessionPresent);
        Assert.Equal("once", (await NextMessageAsync(subscriber)).Text);
        Assert.Equal("end", (await NextMessageAsync(subscriber)).Text);
    }

    [Theory, BothVersions]
    public async Task Qos2_exchange_is_completed_with_pubrel_on_the_next_connection(ProtocolVersion version)
    {
        await SubscriberAsync(version, Topic(), 2);
        var options = ConnectOptions.Durable(version, Id());
        var before = await ConnectAsync(options);
        await before.SendPublishAsync(Topic(), "message", 2, id: 12);
        await before.ExpectAsync(PacketType.PubRec, 12);
        before.Abort();

        var after = await ConnectAsync(options);
        await after.AckAsync(PacketType.PubRel, 12);

        Assert.Equal(ReasonCode.Success, (await after.ExpectAsync(PacketType.PubComp, 12)).Reason);
    }

    [Theory, BothVersions]
    public async Task Message_that_got_pubrec_is_never_sent_again_MQTT_4_3_3_6(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic(), 2);
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "received", 2);
        var message = await before.ExpectPublishAsync(Topic(), "received");
        await before.AckAsync(PacketType.PubRec, message.PacketId);
        await before.ExpectAsync(PacketType.PubRel, message.PacketId);
        before.Abort();

        var after = await ConnectAsync(options);

        await after.ExpectAsync(PacketType.PubRel, message.PacketId);
        await after.AckAsync(PacketType.PubComp, message.PacketId);
        await publisher.PublishAsync(Topic(), "next", 2);
        await after.ExpectPublishAsync(Topic(), "next");
    }

    [Fact]
    public async Task Delivery_through_a_failing_network_loses_and_doubles_nothing_at_qos2()
    {
        await using var proxy = new CuttingProxy(Broker);
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        options.Properties.Add(Prop.ReceiveMaximum, 5);
        await using (var first = await ScriptedClient.ConnectAsync(Broker, options))
        {
            await first.SubscribeAsync(Topic(), 2);
        }

        var publisher = await ConnectAsync();
        for (var number = 0; number < 100; number++)
        {
            await publisher.PublishAsync(Topic(), $"{number}", 2);
        }

        var received = new List<string>();
        var waiting = new HashSet<int>();
        var random = new Random(5);
        var clock = Stopwatch.StartNew();
        while (received.Count < 100 && clock.Elapsed < TimeSpan.FromSeconds(60))
        {
            // Between a CONNACK and some thirty packets, so that every place in an exchange is cut sooner or later.
            proxy.Conditions.BytesToClientBeforeCut = random.Next(40, 1500);
            await DrainAsync(proxy, options, received, waiting);
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(number => $"{number}"), received);
    }

    private static async Task DrainAsync(CuttingProxy proxy, ConnectOptions options, List<string> received, HashSet<int> waiting)
    {
        await using var client = await ScriptedClient.OpenAsync(proxy.Endpoint, options);
        await client.TrySendAsync(Packets.Connect(options));
        try
        {
            while (received.Count < 100 || waiting.Count > 0)
            {
                var packet = await client.NextAsync();
                if (packet.Type == PacketType.Publish)
                {
                    if (waiting.Add(packet.PacketId))
                    {
                        received.Add(packet.Text);
                    }

                    await client.TrySendAsync(Packets.Ack(PacketType.PubRec, packet.PacketId));
                }
                else if (packet.Type == PacketType.PubRel)
                {
                    waiting.Remove(packet.PacketId);
                    await client.TrySendAsync(Packets.Ack(PacketType.PubComp, packet.PacketId));
                }
            }
        }
        catch (TestFailureException) when (client.IsClosed)
        {
            // The proxy has cut the connection; the next round goes on.
        }
    }

    private static Task<ReceivedPacket> NextMessageAsync(ScriptedClient client) =>
        client.PickAsync(packet => packet.Type == PacketType.Publish, "PUBLISH");
}
