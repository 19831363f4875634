namespace Broker.Tests.T11_Flow;

public sealed class PacketSizeTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-3.1.2-25]
    [Fact]
    public async Task Message_beyond_the_clients_maximum_packet_size_is_not_sent_to_it_MQTT_3_1_2_24()
    {
        var client = await ConnectAsync(new ConnectOptions
        {
            AcknowledgesByItself = true,
            Properties = new() { { Prop.MaximumPacketSize, 100 }, { Prop.ReceiveMaximum, 1 } },
        });
        await client.SubscribeAsync(Topic("#"), 2);
        var publisher = await ConnectAsync();

        foreach (var qos in (int[])[0, 1, 2])
        {
            await publisher.PublishAsync(Topic(), new string('x', 200), qos);
            await publisher.PublishAsync(Topic(), $"fits {qos}", qos);
        }

        foreach (var qos in (int[])[0, 1, 2])
        {
            var message = await client.PickAsync(packet => packet.Type == PacketType.Publish, "PUBLISH");
            Assert.Equal($"fits {qos}", message.Text);
            Assert.InRange(message.Size, 1, 100);
        }
    }

    [Fact]
    public async Task Acknowledgements_keep_to_the_maximum_packet_size_of_the_client()
    {
        var client = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.MaximumPacketSize, 30 } } });

        var answer = await client.SubscribeAsync(new Subscription("$share/group/filter"));

        Assert.InRange(answer.Size, 1, 30);
    }

    [Theory, BothVersions]
    public async Task Packet_beyond_the_brokers_maximum_ends_the_connection_0x95(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);

        // The length alone is enough: nothing of 200 MB is waited for.
        await client.SendAsync(Convert.FromHexString("30FFFFFF7F0001"));

        await client.ExpectDisconnectAsync(ReasonCode.PacketTooLarge);
    }

    // [MQTT-3.1.4-1]
    [Theory, EveryVersion]
    public async Task Connect_beyond_the_brokers_maximum_is_refused_as_soon_as_its_version_is_known_0x95(ProtocolVersion version)
    {
        var client = await OpenAsync(new ConnectOptions(version));
        var packet = Packets.Connect(new ConnectOptions(version)
        {
            UserName = new string('u', 60_000),
            Will = new Will(Topic(), new byte[60_000]),
            Properties = new() { { Prop.MaximumPacketSize, 20 } },
        });

        // Another length, one beyond the maximum, of three bytes as the packet's own; the rest does not come.
        (packet[1], packet[2], packet[3]) = (0xFF, 0xFF, 0x7F);
        await client.SendAsync(packet.AsMemory(0, 60));

        if (version == ProtocolVersion.Mqtt5)
        {
            var answer = await client.ExpectAsync(PacketType.ConnAck);
            Assert.Equal((ReasonCode.PacketTooLarge, false), (answer.Reason, answer.Properties.Has(Prop.ReasonString)));
        }

        await client.ExpectCloseAsync();
    }

    [Theory, BothVersions]
    public async Task Packet_of_exactly_the_brokers_maximum_is_accepted(ProtocolVersion version)
    {
        var client = await SubscriberAsync(version, Topic());
        var empty = Packets.Publish(version, new PublishOptions(Topic(), ""));

        // Three length bytes instead of one: 2 more than the empty packet has.
        await client.SendPublishAsync(new PublishOptions(Topic(), new byte[(1 << 20) - empty.Length - 2]));

        Assert.Equal(1 << 20, (await client.ExpectAsync(PacketType.Publish)).Size);
    }
}
