using System.Buffers;

namespace Broker.Protocol;

/// <summary>The common form of SUBACK and UNSUBACK: a packet id and a code for each filter.</summary>
internal sealed record FilterAnswers(
    ushort PacketId, IReadOnlyList<ReasonCode> Reasons, string? ReasonString, IReadOnlyList<UserProperty> UserProperties)
{
    public static FilterAnswers Read(in PacketFrame frame, ProtocolVersion version, out ProtocolViolation? violation)
    {
        var reader = new ByteReader(frame.Contiguous());
        if (frame.Flags != 0)
        {
            reader.Fail(Violation.Flags);
        }

        var packetId = reader.PacketId();
        var properties = version == ProtocolVersion.Mqtt5
            ? PropertySet.Read(ref reader, (Packets)(1 << (int)frame.Type))
            : new PropertySet();
        var reasons = new List<ReasonCode>();
        while (reader.Remaining > 0)
        {
            reasons.Add((ReasonCode)reader.Byte());
            if (!ReasonCodes.IsAllowed(reasons[^1], frame.Type))
            {
                reader.Fail(Violation.BadReasonCode);
            }
        }

        violation = reader.Violation;
        return new FilterAnswers(packetId, reasons, properties.Text(PropertyId.ReasonString), properties.Users);
    }

    public static void Write(IBufferWriter<byte> writer, PacketType type, ProtocolVersion version, FilterAnswers answers)
    {
        var body = new ArrayBufferWriter<byte>();
        body.WriteUInt16(answers.PacketId);
        if (version == ProtocolVersion.Mqtt5)
        {
            new PropertySet().Set(PropertyId.ReasonString, answers.ReasonString).Set(answers.UserProperties).Write(body);
        }

        if (version == ProtocolVersion.Mqtt5 || type == PacketType.SubAck)
        {
            foreach (var reason in answers.Reasons)
            {
                body.WriteByte((byte)reason);
            }
        }

        writer.WritePacket(type, 0, body.WrittenSpan);
    }
}
