namespace Broker.Tests.T01_Connect;

public sealed class ClientIdTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-3.2.2-16] [MQTT-3.1.3-6]
    [Fact]
    public async Task Empty_client_id_gets_an_assigned_one_MQTT_3_1_3_7()
    {
        var first = await ConnectAsync(new ConnectOptions { ClientId = "" });
        var second = await ConnectAsync(new ConnectOptions { ClientId = "" });

        var assigned = first.ConnAck.Properties.Text(Prop.AssignedClientIdentifier);
        Assert.False(string.IsNullOrEmpty(assigned));
        Assert.NotEqual(assigned, second.ConnAck.Properties.Text(Prop.AssignedClientIdentifier));
    }

    [Fact]
    public async Task Assigned_client_id_names_the_session_on_the_next_connect()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "");
        var first = await ConnectAsync(options);
        var assigned = first.ConnAck.Properties.Text(Prop.AssignedClientIdentifier)!;
        await first.DisconnectAsync();

        var second = await ConnectAsync(options with { ClientId = assigned });

        Assert.True(second.ConnAck.SessionPresent);
        Assert.False(second.ConnAck.Properties.Has(Prop.AssignedClientIdentifier));
    }

    [Fact]
    public async Task Empty_client_id_is_accepted_with_clean_session_MQTT_3_1_3_6()
    {
        var client = await ConnectAsync(new ConnectOptions(ProtocolVersion.Mqtt311) { ClientId = "" });

        await client.PingAsync();
    }

    [Fact]
    public async Task Empty_client_id_without_clean_session_is_refused_MQTT311_3_1_3_8()
    {
        var client = await AttemptAsync(new ConnectOptions(ProtocolVersion.Mqtt311) { ClientId = "", Clean = false });

        Assert.Equal(2, (int)(await client.ExpectAsync(PacketType.ConnAck)).Reason);
        await client.ExpectCloseAsync();
    }

    // MQTT 3.1, section 3.1: a Client Identifier has at least one character.
    [Theory, InlineData(true), InlineData(false)]
    public async Task Empty_client_id_of_3_1_is_refused(bool clean)
    {
        var client = await AttemptAsync(new ConnectOptions(ProtocolVersion.Mqtt31) { ClientId = "", Clean = clean });

        Assert.Equal(2, (int)(await client.ExpectAsync(PacketType.ConnAck)).Reason);
        await client.ExpectCloseAsync();
    }

    // [MQTT-3.1.3-5]
    [Theory, EveryVersion]
    public async Task Long_and_unusual_client_ids_are_accepted(ProtocolVersion version)
    {
        var ids = new[] { new string('x', 1024), Topic("grüße/日本/😀"), Topic("+#$*?"), Topic("with space and \"quotes\"") };

        foreach (var id in ids)
        {
            var client = await ConnectAsync(new ConnectOptions(version) { ClientId = id });
            await client.PingAsync();
        }
    }

    // [MQTT-3.1.3-8] [MQTT-3.2.2-6]
    [Theory]
    [InlineData(ProtocolVersion.Mqtt311, 2)]
    [InlineData(ProtocolVersion.Mqtt5, 0x85)]
    public async Task Client_id_beyond_the_limit_is_refused(ProtocolVersion version, int reason)
    {
        var client = await AttemptAsync(new ConnectOptions(version) { ClientId = new string('x', 1025) });

        Assert.Equal(reason, (int)(await client.ExpectAsync(PacketType.ConnAck)).Reason);
        await client.ExpectCloseAsync();
    }

    // [MQTT-3.1.3-2]
    [Fact]
    public async Task Client_ids_differ_by_case_and_by_every_byte()
    {
        var lower = await ConnectAsync(new ConnectOptions { ClientId = Id("abc") });
        var upper = await ConnectAsync(new ConnectOptions { ClientId = Id("ABC") });
        var hex = await ConnectAsync(new ConnectOptions { ClientId = "deadbeefdeadbeefdeadbeefdeadbeef" });
        var otherHex = await ConnectAsync(new ConnectOptions { ClientId = "DEADBEEFDEADBEEFDEADBEEFDEADBEEF" });

        foreach (var client in (ScriptedClient[])[lower, upper, hex, otherHex])
        {
            await client.PingAsync();
        }
    }
}
