namespace Broker.Tests.T11_Flow;

public sealed class ReceiveMaximumTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Fact]
    public async Task Client_that_ignores_the_brokers_receive_maximum_is_disconnected_0x93_MQTT_3_3_4_7()
    {
        var client = await ConnectAsync();
        var maximum = (int)(client.ConnAck.Properties.Number(Prop.ReceiveMaximum) ?? 65535);
        var packets = Enumerable.Range(1, maximum + 1).SelectMany(id => Packets.Publish(
            client.Version, new PublishOptions(Topic(), "unreleased") { Qos = 2, PacketId = (ushort)id }));

        await client.TrySendAsync(packets.ToArray());

        var last = await client.PickAsync(packet => packet.Type != PacketType.PubRec, "DISCONNECT");
        Assert.Equal((PacketType.Disconnect, ReasonCode.ReceiveMaximumExceeded), (last.Type, last.Reason));
    }

    [Fact]
    public async Task Client_that_uses_the_whole_receive_maximum_is_served()
    {
        var client = await ConnectAsync();
        var maximum = (int)(client.ConnAck.Properties.Number(Prop.ReceiveMaximum) ?? 65535);
        for (var round = 0; round < 3; round++)
        {
            var packets = Enumerable.Range(1, maximum).SelectMany(id => Packets.Publish(
                client.Version, new PublishOptions(Topic(), "m") { Qos = 2, PacketId = (ushort)id }));
            await client.SendAsync(packets.ToArray());
            for (var id = 1; id <= maximum; id++)
            {
                await client.ExpectAsync(PacketType.PubRec, id);
            }

            await client.SendAsync(Enumerable.Range(1, maximum).SelectMany(id => Packets.Ack(PacketType.PubRel, id)).ToArray());
            for (var id = 1; id <= maximum; id++)
            {
                await client.ExpectAsync(PacketType.PubComp, id);
            }
        }
    }
}
