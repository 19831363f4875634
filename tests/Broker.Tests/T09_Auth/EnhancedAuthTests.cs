using System.Net;

namespace Broker.Tests.T09_Auth;

/// <summary>AUTH (MQTT 5.0 section 4.12) with SCRAM-SHA-256, the client's side from the test kit.</summary>
public sealed class EnhancedAuthTests(ScramBroker fixture) : BrokerTest, IClassFixture<ScramBroker>
{
    private const string Method = "SCRAM-SHA-256";

    protected override IPEndPoint Broker => fixture.Server.Mqtt;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();

        // A running broker takes up new users by itself, within a second.
        await Eventually.TrueAsync(
            async () => (await LoginAsync("bob", "bob's secret")).Answer.Reason == ReasonCode.Success,
            ScriptedClient.Patience,
            () => $"bob is not let in\n{fixture.Server.Output.Text}");
    }

    [OwnFact]
    public async Task User_gets_in_and_learns_that_the_broker_knows_the_password_MQTT_4_12_0_5()
    {
        var (client, scram, answer) = await LoginAsync("alice", "alice's secret");

        Assert.Equal(ReasonCode.Success, answer.Reason);
        Assert.Equal(Method, answer.Properties.Text(Prop.AuthenticationMethod));
        Assert.True(scram.IsServer(answer.Properties.Bytes(Prop.AuthenticationData)));
        await client.SubscribeAsync(Topic());
        await client.PublishAsync(Topic(), "works", 1);
        await client.ExpectPublishAsync(Topic(), "works");
    }

    // [MQTT-4.12.0-4]
    [OwnTheory]
    [InlineData("alice", "bob's secret")]
    [InlineData("nobody", "x")]
    public async Task Wrong_password_and_unknown_name_are_refused_alike(string name, string password)
    {
        var (client, _, answer) = await LoginAsync(name, password);

        Assert.Equal((PacketType.ConnAck, ReasonCode.NotAuthorized), (answer.Type, answer.Reason));
        await client.ExpectCloseAsync();
    }

    [OwnFact]
    public async Task Method_that_is_not_offered_is_refused_0x8C_MQTT_4_12_0_1()
    {
        var client = await AttemptAsync(With(new ConnectOptions(), "PLAIN", "x"u8.ToArray()));

        Assert.Equal(ReasonCode.BadAuthenticationMethod, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
        await client.ExpectCloseAsync();
    }

    // [MQTT-3.15.2-2] [MQTT-3.15.2-3]
    [OwnFact]
    public async Task Client_that_brings_no_data_is_asked_for_it_MQTT_4_12_0_2()
    {
        var scram = new ScramClient("alice", "alice's secret");
        var client = await AttemptAsync(With(new ConnectOptions(), Method, null));

        var asked = await client.ExpectAsync(PacketType.Auth);
        Assert.Equal((ReasonCode.ContinueAuthentication, Method), (asked.Reason, asked.Properties.Text(Prop.AuthenticationMethod)));
        await client.SendAsync(Auth(ReasonCode.ContinueAuthentication, scram.First()));
        var answer = await ContinueAsync(client, scram);

        Assert.Equal(ReasonCode.Success, answer.Reason);
    }

    public static TheoryData<byte[], string> BeforeConnAck => new()
    {
        { Packets.PingRequest(), "PINGREQ" },
        { Packets.Publish(ProtocolVersion.Mqtt5, new PublishOptions("t", "x")), "PUBLISH" },
        { Packets.Subscribe(ProtocolVersion.Mqtt5, 1, [new Subscription("t")]), "SUBSCRIBE" },
        { Packets.Connect(new ConnectOptions()), "CONNECT" },
        { Packets.Auth(ReasonCode.ReAuthenticate, Properties(Method, [])), "AUTH 0x19" },
        { Packets.Auth(ReasonCode.Success, Properties(Method, [])), "AUTH 0x00" },
    };

    [OwnTheory, MemberData(nameof(BeforeConnAck))]
    public async Task Nothing_but_auth_may_come_before_connack_MQTT_3_1_2_30(byte[] packet, string what)
    {
        var client = await ChallengedAsync("alice");

        await client.SendAsync(packet);

        var answer = await client.ExpectAsync(PacketType.ConnAck);
        Assert.True(answer.Reason == ReasonCode.ProtocolError, $"{what}: {answer}");
        await client.ExpectCloseAsync();
    }

    [OwnFact]
    public async Task Client_may_give_up_with_disconnect()
    {
        var client = await ChallengedAsync("alice");

        await client.SendAsync(Packets.Disconnect(ProtocolVersion.Mqtt5));

        await client.ExpectCloseAsync();
    }

    [OwnFact]
    public async Task Other_method_in_the_middle_is_refused_0x8C()
    {
        var client = await ChallengedAsync("alice");

        await client.SendAsync(Packets.Auth(ReasonCode.ContinueAuthentication, Properties("OTHER", "x"u8.ToArray())));

        Assert.Equal(ReasonCode.BadAuthenticationMethod, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
        await client.ExpectCloseAsync();
    }

    [OwnFact]
    public async Task Exchange_has_a_time_limit()
    {
        var client = await ChallengedAsync("alice");

        await client.ExpectCloseAsync();
    }

    [OwnFact]
    public async Task Auth_without_a_method_in_connect_is_a_protocol_error_MQTT_4_12_0_6()
    {
        var client = await ConnectAsync(new ConnectOptions { UserName = "bob", Password = "bob's secret"u8.ToArray() });

        await client.SendAsync(Auth(ReasonCode.ReAuthenticate, []));

        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [OwnFact]
    public async Task Client_authenticates_again_while_messages_go_on_MQTT_4_12_1_1()
    {
        var (client, _, _) = await LoginAsync("alice", "alice's secret");
        await client.SubscribeAsync(Topic(), 1);
        var scram = new ScramClient("alice", "alice's secret");

        await client.SendAsync(Auth(ReasonCode.ReAuthenticate, scram.First()));
        var challenge = await client.ExpectAsync(PacketType.Auth);
        await client.PublishAsync(Topic(), "in between", 1);
        await client.ExpectPublishAsync(Topic(), "in between");
        await client.SendAsync(Auth(ReasonCode.ContinueAuthentication, scram.Final(challenge.Properties.Bytes(Prop.AuthenticationData)!)));

        var done = await client.ExpectAsync(PacketType.Auth);
        Assert.Equal((ReasonCode.Success, Method), (done.Reason, done.Properties.Text(Prop.AuthenticationMethod)));
        Assert.True(scram.IsServer(done.Properties.Bytes(Prop.AuthenticationData)));
        await client.PublishAsync(Topic(), "afterwards", 1);
        await client.ExpectPublishAsync(Topic(), "afterwards");
    }

    [OwnTheory]
    [InlineData("alice", "wrong")]
    [InlineData("bob", "bob's secret")]
    public async Task Failed_re_authentication_ends_the_connection_MQTT_4_12_1_2(string name, string password)
    {
        var (client, _, _) = await LoginAsync("alice", "alice's secret");
        var scram = new ScramClient(name, password);

        await client.SendAsync(Auth(ReasonCode.ReAuthenticate, scram.First()));
        var challenge = await client.ExpectAsync(PacketType.Auth);
        await client.SendAsync(Auth(ReasonCode.ContinueAuthentication, scram.Final(challenge.Properties.Bytes(Prop.AuthenticationData)!)));

        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
    }

    [OwnFact]
    public async Task Re_authentication_with_another_method_is_refused_0x8C()
    {
        var (client, _, _) = await LoginAsync("alice", "alice's secret");

        await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Properties("OTHER", "x"u8.ToArray())));

        await client.ExpectDisconnectAsync(ReasonCode.BadAuthenticationMethod);
    }

    [OwnFact]
    public async Task Auth_that_continues_nothing_is_a_protocol_error()
    {
        var (client, _, _) = await LoginAsync("alice", "alice's secret");

        await client.SendAsync(Auth(ReasonCode.ContinueAuthentication, "x"u8.ToArray()));

        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [OwnFact]
    public async Task Re_authentication_has_a_time_limit_too()
    {
        var (client, _, _) = await LoginAsync("alice", "alice's secret");

        await client.SendAsync(Auth(ReasonCode.ReAuthenticate, new ScramClient("alice", "alice's secret").First()));
        await client.ExpectAsync(PacketType.Auth);

        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
    }

    [OwnFact]
    public async Task Session_and_will_of_an_authenticated_client_are_as_those_of_any_other()
    {
        var watcher = await ConnectAsync(new ConnectOptions { UserName = "bob", Password = "bob's secret"u8.ToArray() });
        await watcher.SubscribeAsync(Topic("will"));
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()) with { Will = new Will(Topic("will"), "gone"u8.ToArray()) };

        var (before, _, first) = await LoginAsync("alice", "alice's secret", options);
        await before.SubscribeAsync(Topic(), 1);
        before.Abort();
        await watcher.ExpectPublishAsync(Topic("will"), "gone");
        await watcher.PublishAsync(Topic(), "waiting", 1);
        var (after, _, second) = await LoginAsync("alice", "alice's secret", options);

        Assert.Equal((false, true), (first.SessionPresent, second.SessionPresent));
        await after.ExpectPublishAsync(Topic(), "waiting");
    }

    private async Task<(ScriptedClient Client, ScramClient Scram, ReceivedPacket Answer)> LoginAsync(
        string name, string password, ConnectOptions? options = null)
    {
        var scram = new ScramClient(name, password);
        var client = await AttemptAsync(With(options ?? new ConnectOptions(), Method, scram.First()));
        return (client, scram, await ContinueAsync(client, scram));
    }

    private async Task<ScriptedClient> ChallengedAsync(string name)
    {
        var client = await AttemptAsync(With(new ConnectOptions(), Method, new ScramClient(name, "x").First()));
        Assert.Equal(ReasonCode.ContinueAuthentication, (await client.ExpectAsync(PacketType.Auth)).Reason);
        return client;
    }

    private static async Task<ReceivedPacket> ContinueAsync(ScriptedClient client, ScramClient scram)
    {
        var challenge = await client.ExpectAsync(PacketType.Auth);
        Assert.Equal((ReasonCode.ContinueAuthentication, Method), (challenge.Reason, challenge.Properties.Text(Prop.AuthenticationMethod)));
        await client.SendAsync(Auth(ReasonCode.ContinueAuthentication, scram.Final(challenge.Properties.Bytes(Prop.AuthenticationData)!)));
        return await client.ExpectAsync(PacketType.ConnAck);
    }

    private static ConnectOptions With(ConnectOptions options, string method, byte[]? data)
    {
        PropertyCollection properties = [];
        foreach (var (id, value) in options.Properties)
        {
            properties.Add(id, (uint)value);
        }

        properties.Add(Prop.AuthenticationMethod, method);
        if (data is not null)
        {
            properties.Add(Prop.AuthenticationData, data);
        }

        return options with { Properties = properties };
    }

    private static byte[] Auth(ReasonCode reason, byte[] data) => Packets.Auth(reason, Properties(Method, data));

    private static PropertyCollection Properties(string method, byte[] data) => new()
    {
        { Prop.AuthenticationMethod, method }, { Prop.AuthenticationData, data },
    };
}
