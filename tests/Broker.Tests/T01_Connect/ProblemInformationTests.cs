namespace Broker.Tests.T01_Connect;

/// <summary>Reason Strings for those who want them and have room for them, Request and Response Information.</summary>
public sealed class ProblemInformationTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Fact]
    public async Task Refusals_explain_themselves()
    {
        var client = await ConnectAsync();

        var publish = await client.PublishAsync("$SYS/forbidden", "x", 1);
        var subscribe = await client.SubscribeAsync(new Subscription(string.Join('/', Enumerable.Repeat("l", 200))));
        var (release, complete) = await UnknownPacketIdsAsync(client);
        var delayed = await client.PublishAsync("$delayed/never/t", "x", 2);
        await client.SendAsync(Packets.Publish(ProtocolVersion.Mqtt5, new PublishOptions("a/+", "x")));
        var disconnect = await client.ExpectAsync(PacketType.Disconnect);

        Assert.Equal(
            (ReasonCode.NotAuthorized, ReasonCode.TopicFilterInvalid, ReasonCode.TopicNameInvalid, ReasonCode.TopicNameInvalid),
            (publish!.Reason, subscribe.Reasons[0], delayed!.Reason, disconnect.Reason));
        Assert.All([release, complete], p => Assert.Equal(ReasonCode.PacketIdentifierNotFound, p.Reason));
        Assert.All(
            [publish, subscribe, release, complete, delayed, disconnect], p => Assert.NotEmpty(p.Properties.Text(Prop.ReasonString)!));
    }

    // [MQTT-2.2.2-1]
    [Fact]
    public async Task Success_needs_no_words()
    {
        var client = await ConnectAsync();

        var subscribe = await client.SubscribeAsync(new Subscription(Topic(), 1));
        var publish = await client.PublishAsync(Topic(), "x", 1);
        var unsubscribe = await client.UnsubscribeAsync(Topic());

        Assert.All([client.ConnAck, subscribe, publish!, unsubscribe], p => Assert.False(p.Properties.Has(Prop.ReasonString)));
        Assert.All([subscribe, publish!, unsubscribe], p => Assert.Empty(p.Properties));
    }

    [Fact]
    public async Task Client_that_wants_no_problem_information_gets_none_MQTT_3_1_2_29()
    {
        var client = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.RequestProblemInformation, 0 } } });

        var publish = await client.PublishAsync("$SYS/forbidden", "x", 1);
        var subscribe = await client.SubscribeAsync(new Subscription(string.Join('/', Enumerable.Repeat("l", 200))));
        var (release, complete) = await UnknownPacketIdsAsync(client);
        await client.SendAsync(Packets.Publish(ProtocolVersion.Mqtt5, new PublishOptions("a/+", "x")));
        var disconnect = await client.ExpectAsync(PacketType.Disconnect);

        Assert.All([publish!, subscribe, release, complete, disconnect], p => Assert.Empty(p.Properties));
    }

    // [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2]
    // [MQTT-3.7.2-3] [MQTT-3.9.2-1] [MQTT-3.9.2-2] [MQTT-3.11.2-1] [MQTT-3.11.2-2] [MQTT-3.14.2-3] [MQTT-3.14.2-4]
    // [MQTT-3.2.2-20]
    [Theory]
    [InlineData(30)]
    [InlineData(200)]
    public async Task Reason_string_is_left_out_where_it_does_not_fit_MQTT_3_2_2_19(uint maximum)
    {
        var client = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.MaximumPacketSize, maximum } } });

        var publish = await client.PublishAsync("$SYS/forbidden", "x", 1);
        var publishOnce = await client.PublishAsync("$SYS/forbidden", "x", 2);
        var subscribe = await client.SubscribeAsync(new Subscription(string.Join('/', Enumerable.Repeat("l", 200))));
        var unsubscribe = await client.UnsubscribeAsync(Topic("never"));
        var (release, complete) = await UnknownPacketIdsAsync(client);
        await client.SendAsync(Packets.Publish(ProtocolVersion.Mqtt5, new PublishOptions("a/+", "x")));
        var disconnect = await client.ExpectAsync(PacketType.Disconnect);
        var refused = await AttemptAsync(new ConnectOptions
        {
            Properties = new() { { Prop.MaximumPacketSize, maximum }, { Prop.AuthenticationMethod, "NOT-OFFERED" } },
        });
        var connack = await refused.ExpectAsync(PacketType.ConnAck);

        ReceivedPacket[] explained = [publish!, publishOnce!, subscribe, release, complete, disconnect, connack];
        Assert.All([.. explained, unsubscribe], p => Assert.InRange(p.Size, 1, (int)maximum));
        Assert.All(explained, p => Assert.Equal(maximum > 100, p.Properties.Has(Prop.ReasonString)));
    }

    // [MQTT-3.14.0-1]
    [Fact]
    public async Task Connack_that_the_client_cannot_take_is_not_sent_MQTT_3_1_2_24()
    {
        var client = await AttemptAsync(new ConnectOptions { Properties = new() { { Prop.MaximumPacketSize, 5 } } });

        await client.ExpectCloseAsync();
    }

    // [MQTT-3.1.2-24]
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(200)]
    public async Task Refusal_of_a_malformed_connect_keeps_to_what_can_be_read_of_it_MQTT_3_2_2_19(uint maximum)
    {
        var client = await AttemptAsync(new ConnectOptions
        {
            Properties = new() { { Prop.MaximumPacketSize, maximum } },
            Will = new Will("a/#", "gone"),
        });

        if (maximum > 4)
        {
            var answer = await client.ExpectAsync(PacketType.ConnAck);
            Assert.Equal((ReasonCode.TopicNameInvalid, maximum > 100), (answer.Reason, answer.Properties.Has(Prop.ReasonString)));
        }

        await client.ExpectCloseAsync();
    }

    /// <summary>The session is left as it was: nobody has connected to it.</summary>
    // [MQTT-3.1.2-24] [MQTT-3.14.0-1]
    [Fact]
    public async Task Nothing_is_sent_in_place_of_a_connack_that_the_client_cannot_take_MQTT_3_2_0_1()
    {
        const string Short = "q/1";
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Short, 1);
        await before.DisconnectAsync();
        var others = await SubscriberAsync(ProtocolVersion.Mqtt5, $"$SYS/brokers/+/clients/{Id().Replace("/", "%2F", StringComparison.Ordinal)}/+");
        await others.SubscribeAsync(Topic("will"));
        await others.PublishAsync(Short, "m", 1);

        var small = await AttemptAsync(options with
        {
            Properties = new() { { Prop.SessionExpiryInterval, 3600 }, { Prop.MaximumPacketSize, 12 } },
            Will = new Will(Topic("will"), "gone"),
        });
        await small.ExpectCloseAsync();

        await others.ExpectNothingAsync();
        var after = await ConnectAsync(options);
        Assert.True(after.ConnAck.SessionPresent);
        var message = await after.ExpectPublishAsync(Short, "m");
        Assert.False(message.Dup);
        Assert.InRange(message.Size, 1, 12);
        await after.AckAsync(PacketType.PubAck, message.PacketId);
        await others.PickAsync(packet => packet.Topic.EndsWith("/connected", StringComparison.Ordinal), "its coming");
    }

    [Fact]
    public async Task Answer_that_is_too_large_for_the_client_ends_the_connection()
    {
        var client = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.MaximumPacketSize, 40 } } });

        await client.SendAsync(Packets.Subscribe(
            ProtocolVersion.Mqtt5, 1, Enumerable.Range(0, 50).Select(i => new Subscription(Topic($"{i}")))));

        await client.ExpectDisconnectAsync(ReasonCode.PacketTooLarge);
    }

    [Theory]
    [InlineData("simple", "response/simple")]
    [InlineData("a/b+c#d%e", "response/a%2Fb%2Bc%23d%25e")]
    public async Task Response_information_is_given_to_who_asks_MQTT_3_1_2_28(string clientId, string expected)
    {
        var unique = Guid.NewGuid().ToString("N");
        var asking = await ConnectAsync(new ConnectOptions
        {
            ClientId = clientId + unique,
            Properties = new() { { Prop.RequestResponseInformation, 1 } },
        });
        var silent = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.RequestResponseInformation, 0 } } });

        Assert.Equal(expected + unique, asking.ConnAck.Properties.Text(Prop.ResponseInformation));
        Assert.False(silent.ConnAck.Properties.Has(Prop.ResponseInformation));
    }

    /// <summary>PUBREL and PUBCOMP with 0x92: answers to what was never sent.</summary>
    private static async Task<(ReceivedPacket Release, ReceivedPacket Complete)> UnknownPacketIdsAsync(ScriptedClient client)
    {
        await client.AckAsync(PacketType.PubRec, 999);
        var release = await client.ExpectAsync(PacketType.PubRel, 999);
        await client.AckAsync(PacketType.PubRel, 998);
        return (release, await client.ExpectAsync(PacketType.PubComp, 998));
    }
}
