using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Broker.Protocol;

/// <summary>AUTH (MQTT 5.0 section 3.15).</summary>
public sealed record AuthPacket
{
    public ReasonCode Reason { get; init; }

    public string? AuthenticationMethod { get; init; }

    public byte[]? AuthenticationData { get; init; }

    public string? ReasonString { get; init; }

    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary><code>reason code (optional) | properties (optional)</code></summary>
    public static bool TryDecode(
        in PacketFrame frame, [NotNullWhen(true)] out AuthPacket? packet, [NotNullWhen(false)] out ProtocolViolation? violation)
    {
        var reader = new ByteReader(frame.Contiguous());
        if (frame.Flags != 0)
        {
            // [MQTT-3.15.1-1]
            reader.Fail(Violation.Flags);
        }

        var reason = ReasonCode.Success;
        var properties = new PropertySet();
        if (reader.Remaining > 0)
        {
            reason = (ReasonCode)reader.Byte();
            if (!ReasonCodes.IsAllowed(reason, PacketType.Auth))
            {
                reader.Fail(Violation.BadReasonCode);
            }

            properties = PropertySet.Read(ref reader, Packets.Auth);
            if (reader.IsOk && properties.Bytes(PropertyId.AuthenticationMethod) is null)
            {
                reader.Fail(Violation.AuthWithoutMethod);
            }
        }

        reader.End();
        violation = reader.Violation;
        packet = violation is not null ? null : new AuthPacket
        {
            Reason = reason,
            AuthenticationMethod = properties.Text(PropertyId.AuthenticationMethod),
            AuthenticationData = properties.Bytes(PropertyId.AuthenticationData),
            ReasonString = properties.Text(PropertyId.ReasonString),
            UserProperties = properties.Users,
        };
        return packet is not null;
    }

    public void Write(IBufferWriter<byte> writer)
    {
        var body = new ArrayBufferWriter<byte>();
        body.WriteByte((byte)Reason);
        new PropertySet()
            .Set(PropertyId.AuthenticationMethod, AuthenticationMethod)
            .Set(PropertyId.AuthenticationData, AuthenticationData)
            .Set(PropertyId.ReasonString, ReasonString)
            .Set(UserProperties)
            .Write(body);
        writer.WritePacket(PacketType.Auth, 0, body.WrittenSpan);
    }
}
