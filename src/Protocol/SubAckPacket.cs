using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Broker.Protocol;

/// <summary>SUBACK (MQTT section 3.9).</summary>
public sealed record SubAckPacket
{
    public required ushort PacketId { get; init; }

    /// <summary>One for each filter, in their order [MQTT-3.8.4-6] [MQTT-3.9.3-1].</summary>
    public required IReadOnlyList<ReasonCode> Reasons { get; init; }

    public string? ReasonString { get; init; }

    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary><code>packet id | properties (5.0) | reason codes</code></summary>
    public static bool TryDecode(
        in PacketFrame frame, ProtocolVersion version,
        [NotNullWhen(true)] out SubAckPacket? packet, [NotNullWhen(false)] out ProtocolViolation? violation)
    {
        var answer = FilterAnswers.Read(frame, version, out violation);
        packet = violation is not null
            ? null
            : new SubAckPacket
            {
                PacketId = answer.PacketId,
                Reasons = answer.Reasons,
                ReasonString = answer.ReasonString,
                UserProperties = answer.UserProperties,
            };
        return packet is not null;
    }

    public void Write(IBufferWriter<byte> writer, ProtocolVersion version) => FilterAnswers.Write(
        writer, PacketType.SubAck, version, new FilterAnswers(PacketId, Reasons, ReasonString, UserProperties));
}
