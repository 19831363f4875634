using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Broker.Protocol;

/// <summary>UNSUBSCRIBE (MQTT section 3.10).</summary>
public sealed record UnsubscribePacket
{
    private const byte RequiredFlags = 0x02;

    public required ushort PacketId { get; init; }

    public required IReadOnlyList<string> Filters { get; init; }

    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary><code>packet id | properties (5.0) | one or more filters</code></summary>
    public static bool TryDecode(
        in PacketFrame frame, ProtocolVersion version,
        [NotNullWhen(true)] out UnsubscribePacket? packet, [NotNullWhen(false)] out ProtocolViolation? violation)
    {
        var reader = new ByteReader(frame.Contiguous());
        if (frame.FlagsWithoutDup(version) != RequiredFlags)
        {
            // [MQTT-3.10.1-1]
            reader.Fail(Violation.Flags);
        }

        var packetId = reader.PacketId();
        var properties = version == ProtocolVersion.Mqtt5 ? PropertySet.Read(ref reader, Packets.Unsubscribe) : new PropertySet();
        var filters = new List<string>();
        if (reader.IsOk && reader.Remaining == 0)
        {
            // [MQTT-3.10.3-2]
            reader.Fail(Violation.NoFilter);
        }

        while (reader.Remaining > 0)
        {
            var filter = reader.Utf8();
            if (reader.IsOk && !TopicRules.IsValidFilter(filter))
            {
                reader.Fail(Violation.BadFilter);
            }

            filters.Add(reader.IsOk ? Encoding.UTF8.GetString(filter) : "");
        }

        violation = reader.Violation;
        packet = violation is not null
            ? null
            : new UnsubscribePacket { PacketId = packetId, Filters = filters, UserProperties = properties.Users };
        return packet is not null;
    }

    public void Write(IBufferWriter<byte> writer, ProtocolVersion version)
    {
        var body = new ArrayBufferWriter<byte>();
        body.WriteUInt16(PacketId);
        if (version == ProtocolVersion.Mqtt5)
        {
            new PropertySet().Set(UserProperties).Write(body);
        }

        foreach (var filter in Filters)
        {
            body.WriteText(filter);
        }

        writer.WritePacket(PacketType.Unsubscribe, RequiredFlags, body.WrittenSpan);
    }
}
