using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Broker.Protocol;

/// <summary>DISCONNECT (MQTT section 3.14); in 3.x from clients only and without content.</summary>
public sealed record DisconnectPacket
{
    public ReasonCode Reason { get; init; }

    /// <summary>Seconds; from clients only, the server never sets it [MQTT-3.14.2-2].</summary>
    public uint? SessionExpiryInterval { get; init; }

    public string? ReasonString { get; init; }

    public string? ServerReference { get; init; }

    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary><code>reason code (5.0, optional) | properties (5.0, optional)</code></summary>
    public static bool TryDecode(
        in PacketFrame frame, ProtocolVersion version,
        [NotNullWhen(true)] out DisconnectPacket? packet, [NotNullWhen(false)] out ProtocolViolation? violation)
    {
        var reader = new ByteReader(frame.Contiguous());
        if (frame.Flags != 0)
        {
            // [MQTT-3.14.1-1]
            reader.Fail(Violation.Flags);
        }

        var reason = ReasonCode.Success;
        var properties = new PropertySet();
        if (version == ProtocolVersion.Mqtt5 && reader.Remaining > 0)
        {
            reason = (ReasonCode)reader.Byte();
            if (!ReasonCodes.IsAllowed(reason, PacketType.Disconnect))
            {
                reader.Fail(Violation.BadReasonCode);
            }

            properties = reader.Remaining > 0 ? PropertySet.Read(ref reader, Packets.Disconnect) : properties;
        }

        reader.End();
        violation = reader.Violation;
        packet = violation is not null ? null : new DisconnectPacket
        {
            Reason = reason,
            SessionExpiryInterval = properties.Number(PropertyId.SessionExpiryInterval),
            ReasonString = properties.Text(PropertyId.ReasonString),
            ServerReference = properties.Text(PropertyId.ServerReference),
            UserProperties = properties.Users,
        };
        return packet is not null;
    }

    public void Write(IBufferWriter<byte> writer, ProtocolVersion version)
    {
        var body = new ArrayBufferWriter<byte>();
        var properties = new PropertySet()
            .Set(PropertyId.SessionExpiryInterval, SessionExpiryInterval)
            .Set(PropertyId.ReasonString, ReasonString)
            .Set(PropertyId.ServerReference, ServerReference)
            .Set(UserProperties);
        if (version == ProtocolVersion.Mqtt5 && (Reason != ReasonCode.Success || !properties.IsEmpty))
        {
            body.WriteByte((byte)Reason);
            if (!properties.IsEmpty)
            {
                properties.Write(body);
            }
        }

        writer.WritePacket(PacketType.Disconnect, 0, body.WrittenSpan);
    }
}
