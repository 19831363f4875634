using System.Text;
using Broker.Protocol;

namespace Broker.TestKit.Wire;

/// <summary>One packet from the broker, taken apart. Fields that its type does not have keep their default.</summary>
public sealed class ReceivedPacket
{
    public required PacketType Type { get; init; }

    /// <summary>Lower four bits of the first byte.</summary>
    public required int Flags { get; init; }

    /// <summary>Whole length on the wire, fixed header included.</summary>
    public required int Size { get; init; }

    public ushort PacketId { get; private set; }

    public string Topic { get; private set; } = "";

    public byte[] Payload { get; private set; } = [];

    public bool SessionPresent { get; private set; }

    /// <summary>Reason Code, or the return code of a 3.x CONNACK.</summary>
    public ReasonCode Reason { get; private set; }

    /// <summary>Reason Codes of SUBACK and UNSUBACK.</summary>
    public IReadOnlyList<ReasonCode> Reasons { get; private set; } = [];

    public PropertyCollection Properties { get; private set; } = [];

    public int Qos => (Flags >> 1) & 3;

    public bool Dup => (Flags & 8) != 0;

    public bool Retain => (Flags & 1) != 0;

    public string Text => Encoding.UTF8.GetString(Payload);

    public static ReceivedPacket Parse(int firstByte, byte[] body, int size, ProtocolVersion version)
    {
        var packet = new ReceivedPacket { Type = (PacketType)(firstByte >> 4), Flags = firstByte & 15, Size = size };
        var reader = new WireReader(body);
        packet.Read(ref reader, version == ProtocolVersion.Mqtt5);
        ServerRules.Check(packet);
        return reader.Left == 0
            ? packet
            : throw new InvalidDataException($"{reader.Left} bytes too many in {packet}: {Convert.ToHexString(body)}");
    }

    public override string ToString() => Type switch
    {
        PacketType.Publish => $"PUBLISH {Topic} id={PacketId} qos={Qos} dup={Dup} retain={Retain} "
            + $"payload={(Payload.Length <= 40 ? Text : Payload.Length + " bytes")} [{Properties}]",
        PacketType.ConnAck => $"CONNACK present={SessionPresent} reason=0x{(int)Reason:X2} [{Properties}]",
        PacketType.SubAck or PacketType.UnsubAck =>
            $"{Type} id={PacketId} reasons={string.Join(',', Reasons)} [{Properties}]",
        _ => $"{Type} id={PacketId} reason={Reason} [{Properties}]",
    };

    private void Read(ref WireReader reader, bool isVersion5)
    {
        switch (Type)
        {
            case PacketType.ConnAck:
                var acknowledgeFlags = reader.Byte();
                SessionPresent = acknowledgeFlags switch
                {
                    0 or 1 => acknowledgeFlags == 1,
                    _ => throw new InvalidDataException($"CONNACK with the flags {acknowledgeFlags:X2}"),
                };
                Reason = (ReasonCode)reader.Byte();

                // Return code 1 is the answer of 3.1.1 to a version that the broker does not know: no properties.
                Properties = isVersion5 && (int)Reason != 1 ? reader.Properties() : [];
                break;
            case PacketType.Publish:
                Topic = reader.Text();
                PacketId = Qos > 0 ? reader.Short() : (ushort)0;
                Properties = isVersion5 ? reader.Properties() : [];
                Payload = reader.Rest();
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                PacketId = reader.Short();
                ReadOptionalReason(ref reader, isVersion5);
                break;
            case PacketType.SubAck or PacketType.UnsubAck:
                PacketId = reader.Short();
                Properties = isVersion5 ? reader.Properties() : [];
                Reasons = [.. reader.Rest().Select(code => (ReasonCode)code)];
                break;
            case PacketType.PingResp:
                break;
            case PacketType.Disconnect or PacketType.Auth when isVersion5:
                ReadOptionalReason(ref reader, isVersion5);
                break;
            default:
                throw new InvalidDataException($"a broker does not send {Type}");
        }
    }

    private void ReadOptionalReason(ref WireReader reader, bool isVersion5)
    {
        if (isVersion5 && reader.Left > 0)
        {
            Reason = (ReasonCode)reader.Byte();
            Properties = reader.Left > 0 ? reader.Properties() : [];
        }
    }
}
