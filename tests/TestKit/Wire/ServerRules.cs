using Broker.Protocol;

namespace Broker.TestKit.Wire;

/// <summary>
/// What every packet of a server keeps to, looked at in each one that a test receives: Reason Codes and properties of its type,
/// flags, packet identifiers. Written from the specification's tables, apart from the broker's own.
/// </summary>
internal static class ServerRules
{
    private static readonly int[] PublishAnswers = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];

    public static void Check(ReceivedPacket packet)
    {
        Demand(packet, FlagsAreRight(packet), "its flags");
        Demand(packet, packet.Qos < 3 || packet.Type != PacketType.Publish, "QoS 3");
        Demand(packet, HasPacketId(packet) == (packet.PacketId != 0), "its Packet Identifier");
        foreach (var reason in packet.Type is PacketType.SubAck or PacketType.UnsubAck ? packet.Reasons : [packet.Reason])
        {
            Demand(packet, MayHave(packet, (int)reason), $"the Reason Code 0x{(int)reason:X2}");
        }

        foreach (var (property, _) in packet.Properties)
        {
            Demand(packet, MayHave(packet.Type, property), $"the property {property}");
        }

        Demand(packet, packet.Type != PacketType.ConnAck || packet.Reason == 0 || !packet.SessionPresent, "Session Present");
    }

    private static void Demand(ReceivedPacket packet, bool isRight, string what)
    {
        if (!isRight)
        {
            throw new InvalidDataException($"a server must not send {what} in {packet}");
        }
    }

    private static bool FlagsAreRight(ReceivedPacket packet) => packet.Type switch
    {
        PacketType.Publish => packet.Qos > 0 || !packet.Dup,
        PacketType.PubRel => packet.Flags == 2,
        _ => packet.Flags == 0,
    };

    private static bool HasPacketId(ReceivedPacket packet) => packet.Type switch
    {
        PacketType.Publish => packet.Qos > 0,
        PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp
            or PacketType.SubAck or PacketType.UnsubAck => true,
        _ => false,
    };

    private static bool MayHave(ReceivedPacket packet, int reason) => packet.Type switch
    {
        PacketType.ConnAck => reason is (>= 0 and <= 5) or (>= 0x80 and <= 0x8A) or 0x8C or 0x90 or 0x95 or 0x97
            or 0x99 or 0x9A or 0x9B or 0x9C or 0x9D or 0x9F,
        PacketType.PubAck or PacketType.PubRec => PublishAnswers.Contains(reason),
        PacketType.PubRel or PacketType.PubComp => reason is 0x00 or 0x92,
        PacketType.SubAck => reason is 0 or 1 or 2 or 0x80 or 0x83 or 0x87 or 0x8F or 0x91 or 0x97 or 0x9E or 0xA1 or 0xA2,
        PacketType.UnsubAck => reason is 0x00 or 0x11 or 0x80 or 0x83 or 0x87 or 0x8F or 0x91,
        PacketType.Disconnect => reason is 0x00 or (>= 0x80 and <= 0x83) or 0x87 or 0x89 or (>= 0x8B and <= 0x90)
            or (>= 0x93 and <= 0xA2),
        PacketType.Auth => reason is 0x00 or 0x18,
        _ => true,
    };

    private static bool MayHave(PacketType type, Prop property) => property switch
    {
        Prop.UserProperty => type != PacketType.PingResp,
        Prop.PayloadFormatIndicator or Prop.MessageExpiryInterval or Prop.ContentType or Prop.ResponseTopic
            or Prop.CorrelationData or Prop.SubscriptionIdentifier or Prop.TopicAlias => type == PacketType.Publish,
        Prop.ReasonString => type is not (PacketType.Publish or PacketType.PingResp),
        Prop.AuthenticationMethod or Prop.AuthenticationData => type is PacketType.ConnAck or PacketType.Auth,
        Prop.ServerReference => type is PacketType.ConnAck or PacketType.Disconnect,
        Prop.RequestProblemInformation or Prop.RequestResponseInformation or Prop.WillDelayInterval => false,
        _ => type == PacketType.ConnAck,
    };
}
