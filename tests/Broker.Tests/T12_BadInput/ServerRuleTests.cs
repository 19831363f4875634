namespace Broker.Tests.T12_BadInput;

/// <summary>
/// The test kit refuses every packet that a server must not send (<c>ServerRules</c>), whichever test receives it. Here each type of
/// packet is provoked with a refusal and without.
/// </summary>
public sealed class ServerRuleTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-3.2.2-8] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-3.9.3-2] [MQTT-3.11.3-2] [MQTT-3.14.2-1]
    // [MQTT-3.14.2-2] [MQTT-3.3.1-2] [MQTT-2.1.3-1]
    [Theory, BothVersions]
    public async Task Every_packet_has_flags_codes_and_properties_of_its_own(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);
        await client.SubscribeAsync([new Subscription(Topic(), 2), new Subscription(new string('f', 5000))]);
        foreach (var qos in (int[])[0, 1, 2])
        {
            await client.PublishAsync(Topic(), $"{qos}", qos);
            var message = await client.PickAsync(p => p.Type == PacketType.Publish, "PUBLISH");
            Assert.Equal(qos, message.Qos);
            await CompleteAsync(client, message);
        }

        await client.UnsubscribeAsync(Topic(), Topic("never"));
        await client.AckAsync(PacketType.PubRel, 999);
        await client.PickAsync(PacketType.PubComp, 999);
        await client.SendAsync(Packets.Connect(new ConnectOptions(version)));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);

        var refused = await AttemptAsync(new ConnectOptions(version) { ClientId = new string('x', 1025) });
        await refused.ExpectAsync(PacketType.ConnAck);
        await refused.ExpectCloseAsync();
    }

    private static async Task CompleteAsync(ScriptedClient client, ReceivedPacket message)
    {
        if (message.Qos == 1)
        {
            await client.AckAsync(PacketType.PubAck, message.PacketId);
        }
        else if (message.Qos == 2)
        {
            await client.AckAsync(PacketType.PubRec, message.PacketId);
            await client.PickAsync(PacketType.PubRel, message.PacketId);
            await client.AckAsync(PacketType.PubComp, message.PacketId);
        }
    }
}
