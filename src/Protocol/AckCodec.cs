using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Broker.Protocol;

/// <summary>Codes the four acknowledgements of PUBLISH. Without a text neither way allocates.</summary>
public static class AckCodec
{
    /// <summary>Longest packet without properties: header, packet id, reason code.</summary>
    public const int MaximumShortLength = 5;

    // PUBREL is the one of the four whose flags are not 0 [MQTT-3.6.1-1].
    private const byte PubRelFlags = 0x02;

    /// <summary><code>packet id | reason code (5.0, optional) | properties (5.0, optional)</code></summary>
    public static bool TryDecode(
        in PacketFrame frame, ProtocolVersion version, out AckPacket packet, [NotNullWhen(false)] out ProtocolViolation? violation)
    {
        var reader = new ByteReader(frame.Contiguous());
        var flags = frame.Type == PacketType.PubRel ? frame.FlagsWithoutDup(version) : frame.Flags;
        if (flags != FlagsOf(frame.Type))
        {
            reader.Fail(Violation.Flags);
        }

        packet = new AckPacket(frame.Type, reader.PacketId());
        if (version == ProtocolVersion.Mqtt5 && reader.Remaining > 0)
        {
            packet = packet with { Reason = ReadReason(ref reader, frame.Type) };
            if (reader.Remaining > 1)
            {
                var properties = PropertySet.Read(ref reader, (Packets)(1 << (int)frame.Type));
                packet = packet with
                {
                    ReasonString = properties.Text(PropertyId.ReasonString),
                    UserProperties = properties.Users.Count == 0 ? null : properties.Users,
                };
            }
            else if (reader.Remaining == 1 && reader.VariableInteger() != 0)
            {
                reader.Fail(Violation.Truncated);
            }
        }

        reader.End();
        violation = reader.Violation;
        return violation is null;
    }

    /// <summary>Writes an acknowledgement without properties in its shortest form and returns its length.</summary>
    public static int Write(Span<byte> destination, ProtocolVersion version, in AckPacket packet)
    {
        var hasReason = version == ProtocolVersion.Mqtt5 && packet.Reason != ReasonCode.Success;
        destination[0] = (byte)(((int)packet.Type << 4) | FlagsOf(packet.Type));
        destination[1] = (byte)(hasReason ? 3 : 2);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], packet.PacketId);
        if (!hasReason)
        {
            return 4;
        }

        destination[4] = (byte)packet.Reason;
        return MaximumShortLength;
    }

    /// <summary>Writes an acknowledgement with whatever properties it has.</summary>
    public static void Write(IBufferWriter<byte> writer, ProtocolVersion version, in AckPacket packet)
    {
        var hasProperties = packet.ReasonString is not null || packet.UserProperties is { Count: > 0 };
        if (version != ProtocolVersion.Mqtt5 || !hasProperties)
        {
            writer.Advance(Write(writer.GetSpan(MaximumShortLength), version, packet));
            return;
        }

        var body = new ArrayBufferWriter<byte>();
        body.WriteUInt16(packet.PacketId);
        body.WriteByte((byte)packet.Reason);
        new PropertySet().Set(PropertyId.ReasonString, packet.ReasonString).Set(packet.UserProperties ?? []).Write(body);
        writer.WritePacket(packet.Type, FlagsOf(packet.Type), body.WrittenSpan);
    }

    private static byte FlagsOf(PacketType type) => type == PacketType.PubRel ? PubRelFlags : (byte)0;

    private static ReasonCode ReadReason(ref ByteReader reader, PacketType type)
    {
        var reason = (ReasonCode)reader.Byte();
        if (!ReasonCodes.IsAllowed(reason, type))
        {
            reader.Fail(Violation.BadReasonCode);
        }

        return reason;
    }
}
