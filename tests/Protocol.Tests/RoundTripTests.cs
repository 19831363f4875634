using System.Buffers;
using System.Text.Json;
using CsCheck;
using Xunit;

namespace Broker.Protocol.Tests;

/// <summary>What is written is read again, however the input is cut.</summary>
public sealed class RoundTripTests
{
    private const int Iterations = 2000;

    private delegate bool Decoder<T>(in PacketFrame frame, ProtocolVersion version, out T? packet, out ProtocolViolation? violation);

    [Fact]
    public void CONNECT_is_read_as_it_was_written() =>
        Gen.Select(
            Gen.Select(Samples.Version, Gen.Bool, Gen.UShort, Samples.Text),
            Gen.Select(Samples.MaybeText, Samples.MaybeBytes, Samples.Topic, Samples.Bytes),
            Gen.Select(Samples.MaybeUInt, Samples.PacketId, Gen.UShort, Gen.Bool),
            Gen.Select(Gen.UInt, Samples.Qos, Samples.Users, Samples.MaybeText),
            Gen.Int)
            .Sample(
                (head, login, limits, rest, cut) =>
                {
                    var is5 = head.Item1 == ProtocolVersion.Mqtt5;
                    var packet = new ConnectPacket
                    {
                        Version = head.Item1, CleanStart = head.Item2, KeepAlive = head.Item3, ClientId = head.Item4,
                        UserName = login.Item1, Password = is5 || login.Item1 is not null ? login.Item2 : null,
                        Will = !limits.Item4 ? null : new WillMessage
                        {
                            Topic = login.Item3, Payload = login.Item4, Qos = rest.Item2, Retain = head.Item2,
                            DelayInterval = is5 ? rest.Item1 : 0, MessageExpiryInterval = is5 ? limits.Item1 : null,
                            Properties = is5 ? [0x01, 0x01, 0x26, 0x00, 0x01, 0x61, 0x00, 0x00] : [],
                        },
                        SessionExpiry = is5 ? limits.Item1 : null,
                        ReceiveMaximum = is5 ? limits.Item2 : ushort.MaxValue,
                        MaximumPacketSize = is5 ? limits.Item2 : null,
                        TopicAliasMaximum = is5 ? limits.Item3 : (ushort)0,
                        RequestResponseInformation = is5 && limits.Item4,
                        RequestProblemInformation = !is5 || head.Item2,
                        AuthenticationMethod = is5 ? rest.Item4 : null,
                        AuthenticationData = is5 && rest.Item4 is not null ? login.Item4 : null,
                        UserProperties = is5 ? rest.Item3 : [],
                    };
                    Check(
                        packet, packet.Version, cut, writer => packet.Write(writer),
                        (in PacketFrame frame, ProtocolVersion _, out ConnectPacket? read, out ProtocolViolation? why) =>
                            ConnectPacket.TryDecode(frame, out read, out why));
                },
                iter: Iterations);

    [Fact]
    public void CONNACK_is_read_as_it_was_written() =>
        Gen.Select(
            Gen.Select(Samples.Version, Gen.Bool, Samples.MaybeUInt, Samples.MaybeText),
            Gen.Select(Samples.MaybeBool, Samples.MaybeBool, Samples.MaybeBytes, Samples.Users),
            Gen.Select(Samples.MaybeValue(Samples.PacketId), Samples.MaybeText, Samples.MaybeText),
            Gen.Int)
            .Sample(
                (head, flags, more, cut) =>
                {
                    var is5 = head.Item1 == ProtocolVersion.Mqtt5;
                    var simple = new ConnAckPacket { SessionPresent = head.Item2 && head.Item1 != ProtocolVersion.Mqtt31 };
                    var packet = !is5 ? simple : simple with
                    {
                        SessionExpiryInterval = head.Item3, ReceiveMaximum = more.Item1, RetainAvailable = flags.Item1,
                        MaximumQos = head.Item2 ? QualityOfService.AtLeastOnce : null, MaximumPacketSize = more.Item1,
                        AssignedClientIdentifier = head.Item4, TopicAliasMaximum = more.Item1, ReasonString = more.Item2,
                        WildcardSubscriptionAvailable = flags.Item2, SubscriptionIdentifiersAvailable = flags.Item1,
                        SharedSubscriptionAvailable = flags.Item2, ServerKeepAlive = more.Item1, ResponseInformation = more.Item3,
                        ServerReference = more.Item2, AuthenticationMethod = more.Item3, AuthenticationData = flags.Item3,
                        UserProperties = flags.Item4,
                    };
                    Check(packet, head.Item1, cut, writer => packet.Write(writer, head.Item1), ConnAckPacket.TryDecode);
                },
                iter: Iterations);

    [Fact]
    public void SUBSCRIBE_is_read_as_it_was_written() =>
        Gen.Select(
            Samples.Version, Samples.PacketId, Gen.UInt[0, 268_435_455], Samples.Users,
            Gen.Select(Samples.Filter, Samples.Qos, Gen.Bool, Gen.Bool, Gen.Int[0, 2]).Array[1, 5], Gen.Int)
            .Sample(
                (version, id, identifier, users, filters, cut) =>
                {
                    var is5 = version == ProtocolVersion.Mqtt5;
                    var packet = new SubscribePacket
                    {
                        PacketId = id, SubscriptionIdentifier = is5 ? identifier : 0, UserProperties = is5 ? users : [],
                        Requests = [.. filters.Select(f => is5
                            ? new SubscriptionRequest(f.Item1, f.Item2, f.Item3, f.Item4, (RetainHandling)f.Item5)
                            : new SubscriptionRequest(f.Item1, f.Item2))],
                    };
                    Check(packet, version, cut, writer => packet.Write(writer, version), SubscribePacket.TryDecode);
                },
                iter: Iterations);

    [Fact]
    public void UNSUBSCRIBE_SUBACK_and_UNSUBACK_are_read_as_they_were_written() =>
        Gen.Select(Samples.Version, Samples.PacketId, Samples.Users, Samples.Filter.Array[1, 5], Samples.MaybeText, Gen.Int)
            .Sample(
                (version, id, users, filters, reason, cut) =>
                {
                    var is5 = version == ProtocolVersion.Mqtt5;
                    users = is5 ? users : [];
                    reason = is5 ? reason : null;
                    ReasonCode[] codes = [.. filters.Select((_, i) => i % 2 == 0 ? ReasonCode.Success : ReasonCode.UnspecifiedError)];
                    var unsubscribe = new UnsubscribePacket { PacketId = id, Filters = filters, UserProperties = users };
                    Check(unsubscribe, version, cut, writer => unsubscribe.Write(writer, version), UnsubscribePacket.TryDecode);
                    var subAck = new SubAckPacket { PacketId = id, Reasons = codes, ReasonString = reason, UserProperties = users };
                    Check(subAck, version, cut, writer => subAck.Write(writer, version), SubAckPacket.TryDecode);
                    var unsubAck = new UnsubAckPacket
                    {
                        PacketId = id, Reasons = is5 ? codes : [], ReasonString = reason, UserProperties = users,
                    };
                    Check(unsubAck, version, cut, writer => unsubAck.Write(writer, version), UnsubAckPacket.TryDecode);
                },
                iter: Iterations);

    [Fact]
    public void PUBACK_PUBREC_PUBREL_and_PUBCOMP_are_read_as_they_were_written() =>
        Gen.Select(
            Samples.Version, Samples.OneOf(PacketType.PubAck, PacketType.PubRec, PacketType.PubRel, PacketType.PubComp),
            Samples.PacketId, Gen.Bool, Samples.MaybeText, Samples.Users, Gen.Int)
            .Sample(
                (version, type, id, isGood, text, users, cut) =>
                {
                    var is5 = version == ProtocolVersion.Mqtt5;
                    var bad = type is PacketType.PubAck or PacketType.PubRec ? ReasonCode.QuotaExceeded : ReasonCode.PacketIdentifierNotFound;
                    var packet = new AckPacket(type, id, isGood || !is5 ? ReasonCode.Success : bad)
                    {
                        ReasonString = is5 ? text : null, UserProperties = is5 && users.Length > 0 ? users : null,
                    };
                    Check(packet, version, cut, writer => AckCodec.Write(writer, version, packet), AckCodec.TryDecode);
                },
                iter: Iterations);

    [Fact]
    public void DISCONNECT_and_AUTH_are_read_as_they_were_written() =>
        Gen.Select(Samples.Version, Samples.MaybeUInt, Samples.MaybeText, Samples.Users, Samples.Text, Samples.MaybeBytes, Gen.Int)
            .Sample(
                (version, expiry, text, users, method, data, cut) =>
                {
                    var disconnect = version != ProtocolVersion.Mqtt5 ? new DisconnectPacket() : new DisconnectPacket
                    {
                        Reason = expiry is null ? ReasonCode.Success : ReasonCode.DisconnectWithWillMessage,
                        SessionExpiryInterval = expiry, ReasonString = text, ServerReference = text, UserProperties = users,
                    };
                    Check(disconnect, version, cut, writer => disconnect.Write(writer, version), DisconnectPacket.TryDecode);
                    var auth = new AuthPacket
                    {
                        Reason = ReasonCode.ContinueAuthentication, AuthenticationMethod = method, AuthenticationData = data,
                        ReasonString = text, UserProperties = users,
                    };
                    Check(
                        auth, ProtocolVersion.Mqtt5, cut, auth.Write,
                        (in PacketFrame frame, ProtocolVersion _, out AuthPacket? read, out ProtocolViolation? why) =>
                            AuthPacket.TryDecode(frame, out read, out why));
                },
                iter: Iterations);

    private static void Check<T>(
        T packet, ProtocolVersion version, int cut, Action<ArrayBufferWriter<byte>> write, Decoder<T> decode)
    {
        var writer = new ArrayBufferWriter<byte>();
        write(writer);
        var input = Pieces.AtRandom(writer.WrittenMemory, cut);

        Assert.Equal(FrameStatus.Complete, PacketFramer.TryRead(ref input, int.MaxValue, out var frame));
        Assert.True(input.IsEmpty);
        Assert.True(decode(frame, version, out var read, out var violation), violation?.Description);
        Assert.Equal(JsonSerializer.Serialize(packet), JsonSerializer.Serialize(read));
    }
}
