using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Broker.Protocol;

/// <summary>SUBSCRIBE (MQTT section 3.8).</summary>
public sealed record SubscribePacket
{
    private const byte RequiredFlags = 0x02;

    public required ushort PacketId { get; init; }

    public required IReadOnlyList<SubscriptionRequest> Requests { get; init; }

    /// <summary>0 for none.</summary>
    public uint SubscriptionIdentifier { get; init; }

    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary><code>packet id | properties (5.0) | one or more: filter, options</code></summary>
    public static bool TryDecode(
        in PacketFrame frame, ProtocolVersion version,
        [NotNullWhen(true)] out SubscribePacket? packet, [NotNullWhen(false)] out ProtocolViolation? violation)
    {
        var reader = new ByteReader(frame.Contiguous());
        if (frame.FlagsWithoutDup(version) != RequiredFlags)
        {
            // [MQTT-3.8.1-1]
            reader.Fail(Violation.Flags);
        }

        var packetId = reader.PacketId();
        var properties = version == ProtocolVersion.Mqtt5 ? PropertySet.Read(ref reader, Packets.Subscribe) : new PropertySet();
        var requests = new List<SubscriptionRequest>();
        if (reader.IsOk && reader.Remaining == 0)
        {
            reader.Fail(Violation.NoFilter);
        }

        while (reader.Remaining > 0)
        {
            requests.Add(ReadRequest(ref reader, version));
        }

        violation = reader.Violation;
        packet = violation is not null ? null : new SubscribePacket
        {
            PacketId = packetId,
            Requests = requests,
            SubscriptionIdentifier = properties.Number(PropertyId.SubscriptionIdentifier) ?? 0,
            UserProperties = properties.Users,
        };
        return packet is not null;
    }

    public void Write(IBufferWriter<byte> writer, ProtocolVersion version)
    {
        var body = new ArrayBufferWriter<byte>();
        body.WriteUInt16(PacketId);
        if (version == ProtocolVersion.Mqtt5)
        {
            new PropertySet()
                .Set(PropertyId.SubscriptionIdentifier, SubscriptionIdentifier == 0 ? null : SubscriptionIdentifier)
                .Set(UserProperties)
                .Write(body);
        }

        foreach (var request in Requests)
        {
            body.WriteText(request.Filter);
            body.WriteByte(version == ProtocolVersion.Mqtt5 ? request.Options : (byte)request.MaximumQos);
        }

        writer.WritePacket(PacketType.Subscribe, RequiredFlags, body.WrittenSpan);
    }

    private static SubscriptionRequest ReadRequest(ref ByteReader reader, ProtocolVersion version)
    {
        var filter = reader.Utf8();
        if (reader.IsOk && !TopicRules.IsValidFilter(filter))
        {
            reader.Fail(Violation.BadFilter);
        }

        var text = reader.IsOk ? Encoding.UTF8.GetString(filter) : "";
        var isShared = SharedFilter.IsShared(filter);
        var options = reader.Byte();
        var request = new SubscriptionRequest(
            text, (QualityOfService)(options & 0x03), (options & 0x04) != 0, (options & 0x08) != 0, (RetainHandling)((options >> 4) & 0x03));
        if ((options & 0x03) == 3)
        {
            reader.Fail(Violation.SubscribeQos3);
        }
        else if ((options & (version == ProtocolVersion.Mqtt5 ? 0xC0 : 0xFC)) != 0)
        {
            reader.Fail(Violation.OptionBits);
        }
        else if ((byte)request.RetainHandling == 3)
        {
            reader.Fail(Violation.RetainHandling3);
        }
        else if (request.NoLocal && isShared)
        {
            // [MQTT-3.8.3-4]
            reader.Fail(Violation.NoLocalShared);
        }

        return request;
    }
}
