namespace Broker.Tests.T01_Connect;

public sealed class ConnAckTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-3.1.4-5]
    [Theory, EveryVersion]
    public async Task Connect_is_accepted_and_connack_is_the_first_packet_MQTT_3_2_0_1(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);

        Assert.Equal(ReasonCode.Success, client.ConnAck.Reason);
        Assert.False(client.ConnAck.SessionPresent);
    }

    [Fact]
    public async Task Capabilities_in_connack_are_honest()
    {
        var client = await ConnectAsync();

        var properties = client.ConnAck.Properties;
        Assert.Equal(1u, properties.Number(Prop.RetainAvailable) ?? 1);
        Assert.Equal(1u, properties.Number(Prop.WildcardSubscriptionAvailable) ?? 1);
        Assert.Equal(1u, properties.Number(Prop.SubscriptionIdentifierAvailable) ?? 1);
        Assert.False(properties.Has(Prop.MaximumQoS), "absent means QoS 2");
        Assert.Equal(32u, properties.Number(Prop.TopicAliasMaximum));
        Assert.Equal(1u << 20, properties.Number(Prop.MaximumPacketSize));
        Assert.InRange(properties.Number(Prop.ReceiveMaximum) ?? 65535, 1u, 65535u);
    }

    [Fact]
    public async Task Connack_has_each_property_at_most_once()
    {
        var client = await ConnectAsync(new ConnectOptions { ClientId = "" });

        Assert.DoesNotContain(client.ConnAck.Properties.GroupBy(pair => pair.Key), same => same.Count() > 1);
    }

    [Theory, EveryVersion]
    public async Task Packets_sent_together_with_connect_are_handled_after_it(ProtocolVersion version)
    {
        var options = new ConnectOptions(version);
        var client = await OpenAsync(options);

        await client.SendAsync((byte[])
        [
            .. Packets.Connect(options),
            .. Packets.Subscribe(version, 1, [new Subscription(Topic())]),
            .. Packets.Publish(version, new PublishOptions(Topic(), "early")),
            .. Packets.PingRequest(),
        ]);

        await client.ExpectAsync(PacketType.ConnAck);
        await client.ExpectAsync(PacketType.SubAck, 1);
        await client.PickAsync(packet => packet.Text == "early", "its own message");
        await client.PickAsync(packet => packet.Type == PacketType.PingResp, "PINGRESP");
    }

    // [MQTT-4.2.0-1]
    [Theory, EveryVersion]
    public async Task Packets_may_arrive_byte_by_byte(ProtocolVersion version)
    {
        var options = new ConnectOptions(version);
        var client = await OpenAsync(options);
        byte[] bytes =
        [
            .. Packets.Connect(options),
            .. Packets.Subscribe(version, 1, [new Subscription(Topic())]),
            .. Packets.Publish(version, new PublishOptions(Topic(), "slow") { Qos = 1, PacketId = 9 }),
        ];

        foreach (var single in bytes)
        {
            await client.SendAsync(new[] { single });
        }

        await client.ExpectAsync(PacketType.ConnAck);
        await client.ExpectAsync(PacketType.SubAck, 1);
        await client.PickAsync(PacketType.PubAck, 9);
        await client.PickAsync(packet => packet.Text == "slow", "its own message");
    }

    [Theory, EveryVersion]
    public async Task Pingreq_is_answered_MQTT_3_12_4_1(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);

        await client.SendAsync(Packets.PingRequest());

        await client.ExpectAsync(PacketType.PingResp);
    }

    // [MQTT-3.14.4-2]
    [Theory, EveryVersion]
    public async Task Disconnect_closes_the_connection_without_an_answer(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);

        await client.DisconnectAsync();

        await client.ExpectCloseAsync();
    }

    [Fact]
    public async Task Reason_string_and_user_properties_are_left_out_when_not_wanted_MQTT_3_1_2_29()
    {
        var options = new ConnectOptions { Properties = new() { { Prop.RequestProblemInformation, 0 } } };
        var client = await ConnectAsync(options);

        var refused = await client.SubscribeAsync(new Subscription("$share/g/t"));
        var unknown = await client.UnsubscribeAsync(Topic("never"));

        Assert.All([refused, unknown], packet => Assert.Empty(packet.Properties));
    }
}
