using System.Text;

namespace Broker.Tests.T09_Auth;

public sealed class ClosedBrokerTests() : OwnBrokerTest(("Auth:AllowAnonymous", "false"))
{
    // [MQTT-3.1.4-2] [MQTT-3.2.2-6] [MQTT-4.13.2-1]
    [OwnTheory]
    [InlineData(ProtocolVersion.Mqtt31, 5)]
    [InlineData(ProtocolVersion.Mqtt311, 5)]
    [InlineData(ProtocolVersion.Mqtt5, 0x87)]
    public async Task Anonymous_client_is_refused_and_the_connection_closed_MQTT_3_2_2_7(ProtocolVersion version, int reason)
    {
        var client = await AttemptAsync(new ConnectOptions(version));

        Assert.Equal(reason, (int)(await client.ExpectAsync(PacketType.ConnAck)).Reason);
        await client.ExpectCloseAsync();
    }

    [OwnTheory]
    [InlineData(ProtocolVersion.Mqtt311, (int[])[4, 5])]
    [InlineData(ProtocolVersion.Mqtt5, (int[])[0x86, 0x87])]
    public async Task Unknown_user_is_refused(ProtocolVersion version, int[] reasons)
    {
        var client = await AttemptAsync(new ConnectOptions(version) { UserName = "nobody", Password = Encoding.UTF8.GetBytes("x") });

        Assert.Contains((int)(await client.ExpectAsync(PacketType.ConnAck)).Reason, reasons);
        await client.ExpectCloseAsync();
    }

    [OwnTheory, BothVersions]
    public async Task Packets_behind_a_refused_connect_are_not_handled_MQTT_3_1_4_6(ProtocolVersion version)
    {
        var options = new ConnectOptions(version);
        var client = await OpenAsync(options);

        await client.SendAsync((byte[])
        [
            .. Packets.Connect(options),
            .. Packets.Publish(options.Version, new PublishOptions(Topic(), "sneaked in") { Qos = 1, PacketId = 1 }),
            .. Packets.PingRequest(),
        ]);

        await client.ExpectAsync(PacketType.ConnAck);
        await client.ExpectCloseAsync();
    }
}
