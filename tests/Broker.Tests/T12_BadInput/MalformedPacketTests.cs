using Broker.Protocol.Tests.Malformed;

namespace Broker.Tests.T12_BadInput;

/// <summary>The corpus of <c>tests/Protocol.Tests</c> over real sockets.</summary>
public sealed class MalformedPacketTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // Return code of a 3.x CONNACK; an unknown version is answered in that form, whatever it claims to be.
    private const ReasonCode OldUnacceptableVersion = (ReasonCode)1;

    // Whoever does not begin with the name of the protocol speaks no version of it.
    private const string NotMqtt = "MQTT-3.1.2-1";

    private static readonly Dictionary<string, MalformedPacket> Packets = MalformedCorpus.All.ToDictionary(packet => packet.ToString());

    public static TheoryData<string> Later => [.. Packets.Where(pair => !pair.Value.IsFirstPacket).Select(pair => pair.Key)];

    public static TheoryData<string> First => [.. Packets.Where(pair => pair.Value.IsFirstPacket).Select(pair => pair.Key)];

    // [MQTT-4.8.0-1] of 3.1.1
    // [MQTT-4.13.1-1] [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-4.13.2-1]
    [Theory, MemberData(nameof(Later))]
    public async Task Malformed_packet_ends_the_connection_with_its_reason_and_disturbs_nobody(string name)
    {
        var bad = Packets[name];
        var bystander = await SubscriberAsync(bad.Version, Topic());
        var client = await ConnectAsync(bad.Version);

        var bytes = bad.ToBytes();
        await client.TrySendAsync(bytes);

        // Any AUTH is a protocol error where none was agreed upon [MQTT-4.12.0-6], before it is looked into.
        var isAuth = bad.Version == ProtocolVersion.Mqtt5 && bytes[0] >> 4 == (int)PacketType.Auth;
        await client.ExpectDisconnectAsync(isAuth ? ReasonCode.ProtocolError : bad.Expected);
        await bystander.SendPublishAsync(Topic(), "still here");
        await bystander.ExpectPublishAsync(Topic(), "still here");
    }

    /// <summary>
    /// Who has said that it speaks 5.0 is told what is wrong (section 3.1.4). 3.x has no return code for it; only a version that is not
    /// known has one, so that the client can try another.
    /// </summary>
    // [MQTT-3.1.4-1] of 3.1.1
    // [MQTT-3.1.4-1] [MQTT-3.2.2-7] [MQTT-3.2.2-8] [MQTT-4.13.1-1] [MQTT-3.14.0-1]
    [Theory, MemberData(nameof(First))]
    public async Task Malformed_connect_is_answered_with_its_reason_in_5_0_and_in_3_x_closed_without_a_word(string name)
    {
        var bad = Packets[name];
        var client = await OpenAsync(new ConnectOptions(bad.Version));

        await client.TrySendAsync(bad.ToBytes());

        if (bad.Expected == ReasonCode.UnsupportedProtocolVersion)
        {
            Assert.Equal(OldUnacceptableVersion, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
        }
        else if (bad.Version == ProtocolVersion.Mqtt5 && bad.SpecId != NotMqtt)
        {
            var answer = await client.ExpectAsync(PacketType.ConnAck);
            Assert.Equal((bad.Expected, false), (answer.Reason, answer.SessionPresent));
            Assert.NotEmpty(answer.Properties.Text(Prop.ReasonString)!);
        }

        await client.ExpectCloseAsync();
    }

    [Theory, EveryVersion]
    public async Task Random_bytes_end_the_connection_and_nothing_else(ProtocolVersion version)
    {
        var bystander = await SubscriberAsync(version, Topic());
        var random = new Random(1);
        for (var round = 0; round < 100; round++)
        {
            var client = await ConnectAsync(version);
            var bytes = new byte[random.Next(2, 2000)];
            random.NextBytes(bytes);

            // A whole packet that cannot be right, so that the outcome is certain whatever follows.
            (bytes[0], bytes[1]) = (0x07, 0);
            await client.TrySendAsync(bytes);

            Assert.True(await client.ClosesAsync(), $"round {round} of seed 1 left the connection open");
        }

        await bystander.SendPublishAsync(Topic(), "still here");
        await bystander.ExpectPublishAsync(Topic(), "still here");
    }

    [Fact]
    public async Task Connections_cut_in_the_middle_of_a_packet_leave_nothing_behind()
    {
        var bystander = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("#"), 1);
        var packet = TestKit.Wire.Packets.Publish(ProtocolVersion.Mqtt5, new PublishOptions(Topic("cut"), new byte[300]) { Qos = 1, PacketId = 1 });
        for (var length = 1; length < packet.Length; length += 7)
        {
            var client = await ConnectAsync();
            await client.SendAsync(packet.AsMemory(0, length));
            client.Abort();
        }

        await bystander.SendPublishAsync(Topic("end"), "end");
        await bystander.ExpectPublishAsync(Topic("end"), "end");
    }
}
