using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Broker.Protocol;

/// <summary>UNSUBACK (MQTT section 3.11).</summary>
public sealed record UnsubAckPacket
{
    public required ushort PacketId { get; init; }

    /// <summary>One for each filter, in their order [MQTT-3.11.3-1]; 3.x sends none.</summary>
    public required IReadOnlyList<ReasonCode> Reasons { get; init; }

    public string? ReasonString { get; init; }

    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary><code>packet id | properties (5.0) | reason codes</code></summary>
    public static bool TryDecode(
        in PacketFrame frame, ProtocolVersion version,
        [NotNullWhen(true)] out UnsubAckPacket? packet, [NotNullWhen(false)] out ProtocolViolation? violation)
    {
        var answer = FilterAnswers.Read(frame, version, out violation);
        packet = violation is not null
            ? null
            : new UnsubAckPacket
            {
                PacketId = answer.PacketId,
                Reasons = answer.Reasons,
                ReasonString = answer.ReasonString,
                UserProperties = answer.UserProperties,
            };
        return packet is not null;
    }

    public void Write(IBufferWriter<byte> writer, ProtocolVersion version) => FilterAnswers.Write(
        writer, PacketType.UnsubAck, version, new FilterAnswers(PacketId, Reasons, ReasonString, UserProperties));
}
