using System.Buffers;
using Xunit;

namespace Broker.Protocol.Tests.Malformed;

public sealed class MalformedCorpusTests
{
    private static readonly Dictionary<string, MalformedPacket> Packets = MalformedCorpus.All.ToDictionary(packet => packet.ToString());

    public static TheoryData<string> Names => [.. Packets.Keys];

    [Theory, MemberData(nameof(Names))]
    public void A_malformed_packet_is_refused_with_the_reason_of_the_specification(string name)
    {
        var packet = Packets[name];

        var reason = ServerInput.Check(new ReadOnlySequence<byte>(packet.ToBytes()), packet.Version);

        Assert.Equal(packet.Expected, reason);
    }

    [Theory, MemberData(nameof(Names))]
    public void A_malformed_packet_in_pieces_of_one_byte_is_refused_with_the_same_reason(string name)
    {
        var packet = Packets[name];

        var reason = ServerInput.Check(Pieces.OfOneByte(packet.ToBytes()), packet.Version);

        Assert.Equal(packet.Expected, reason);
    }

    /// <summary>Whoever has said that it speaks 5.0 gets the reason in CONNACK, so it must be one that CONNACK has.</summary>
    [Fact]
    public void Version_of_a_malformed_CONNECT_can_be_read_and_its_reason_be_told_in_CONNACK_MQTT_3_2_2_8()
    {
        var refused = Packets.Values.Where(packet => packet.IsFirstPacket && packet.Expected != ReasonCode.UnsupportedProtocolVersion
            && packet.SpecId != "MQTT-3.1.2-1" && packet.Version == ProtocolVersion.Mqtt5);

        foreach (var packet in refused)
        {
            var input = new ReadOnlySequence<byte>(packet.ToBytes());
            PacketFramer.TryRead(ref input, ServerInput.MaximumPacketSize, out var frame);

            Assert.Equal(ProtocolVersion.Mqtt5, ConnectPacket.ReadBeginning(frame)?.Version);
            Assert.True(ReasonCodes.IsAllowed(packet.Expected, PacketType.ConnAck), packet.ToString());
        }
    }

    [Fact]
    public void The_corpus_has_more_than_two_hundred_different_violations_and_every_version()
    {
        Assert.True(Packets.Values.Select(packet => packet.Name).Distinct().Count() > 200);
        foreach (var version in Enum.GetValues<ProtocolVersion>())
        {
            Assert.Contains(Packets.Values, packet => packet.Version == version && packet.IsFirstPacket);
            Assert.Contains(Packets.Values, packet => packet.Version == version && !packet.IsFirstPacket);
        }
    }
}
