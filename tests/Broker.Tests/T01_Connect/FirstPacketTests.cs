namespace Broker.Tests.T01_Connect;

public sealed class FirstPacketTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Theory]
    [InlineData("C000")]
    [InlineData("300500017A6869")]
    [InlineData("82060001000161 00")]
    [InlineData("E000")]
    [InlineData("20020000")]
    public async Task Anything_but_connect_as_first_packet_closes_the_connection_MQTT_3_1_0_1(string hex)
    {
        var client = await OpenAsync(new ConnectOptions(ProtocolVersion.Mqtt311));

        await client.SendAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));

        await client.ExpectCloseAsync();
    }

    // [MQTT-3.2.0-2]
    [Theory, EveryVersion]
    public async Task Second_connect_on_a_connection_is_a_protocol_error_MQTT_3_1_0_2(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);

        await client.SendAsync(Packets.Connect(client.Options));

        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    public async Task Unknown_protocol_level_is_refused_with_return_code_1_or_0x84_MQTT_3_1_2_2(int level)
    {
        var client = await OpenAsync(new ConnectOptions(ProtocolVersion.Mqtt311));
        var packet = Packets.Connect(client.Options);
        packet[8] = (byte)level;

        await client.SendAsync(packet);

        var answer = await client.ExpectAsync(PacketType.ConnAck);
        Assert.Contains((int)answer.Reason, (int[])[1, 0x84]);
        await client.ExpectCloseAsync();
    }

    // [MQTT-3.2.2-6] of 3.1.1
    [Fact]
    public async Task Http_request_is_not_answered()
    {
        var client = await OpenAsync(new ConnectOptions(ProtocolVersion.Mqtt311));

        await client.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());

        await client.ExpectCloseAsync();
    }

    [Fact]
    public async Task Authentication_method_that_is_not_offered_is_refused_0x8C()
    {
        var client = await AttemptAsync(new ConnectOptions { Properties = new() { { Prop.AuthenticationMethod, "NOT-OFFERED" } } });

        Assert.Equal(ReasonCode.BadAuthenticationMethod, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
        await client.ExpectCloseAsync();
    }

    [Fact]
    public async Task Auth_without_an_authentication_method_is_a_protocol_error_MQTT_4_12_0_6()
    {
        var client = await ConnectAsync();

        await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, new() { { Prop.AuthenticationMethod, "x" } }));

        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }
}
