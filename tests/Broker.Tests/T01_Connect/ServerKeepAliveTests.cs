namespace Broker.Tests.T01_Connect;

public sealed class ServerKeepAliveTests() : OwnBrokerTest(("Limits:MaxKeepAlive", "1s"))
{
    [OwnTheory]
    [InlineData(0)]
    [InlineData(60)]
    public async Task Longer_keep_alive_is_cut_told_and_enforced(ushort wanted)
    {
        var client = await ConnectAsync(new ConnectOptions { KeepAlive = wanted });

        Assert.Equal(1u, client.ConnAck.Properties.Number(Prop.ServerKeepAlive));
        await client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
    }

    [OwnFact]
    public async Task What_the_client_asks_for_holds_where_it_is_short_enough_and_for_3x_MQTT_3_2_2_22()
    {
        var short5 = await ConnectAsync(new ConnectOptions { KeepAlive = 1 });
        var long311 = await ConnectAsync(new ConnectOptions(ProtocolVersion.Mqtt311) { KeepAlive = 60 });

        Assert.False(short5.ConnAck.Properties.Has(Prop.ServerKeepAlive));
        await short5.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
        await long311.PingAsync();
    }
}
