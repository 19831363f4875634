using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Broker.Protocol;

/// <summary>Decodes PUBLISH from a client (MQTT section 3.3). Allocates nothing for a packet that is forwarded as it is.</summary>
public static class PublishDecoder
{
    private const int QosShift = 1;
    private const byte RetainBit = 0x01;
    private const byte DupBit = 0x08;

    /// <summary>
    /// <code>
    /// DUP QoS QoS RETAIN | topic length, topic | packet id (QoS 1, 2) | properties (5.0) | payload
    /// </code>
    /// </summary>
    public static bool TryDecode(
        in PacketFrame frame, ProtocolVersion version, out PublishView view, [NotNullWhen(false)] out ProtocolViolation? violation)
    {
        view = default;
        var qos = (frame.Flags >> QosShift) & 0x03;
        var body = frame.Body;
        var head = body.FirstSpan;
        if (!body.IsSingleSegment && !HasWholeHeader(head, qos, version))
        {
            // The fields before the payload lie across two pieces of input: rare, and then worth a copy.
            body = new ReadOnlySequence<byte>(body.ToArray());
            head = body.FirstSpan;
        }

        var reader = new ByteReader(head);
        view.Qos = (QualityOfService)qos;
        view.Retain = (frame.Flags & RetainBit) != 0;
        view.Dup = (frame.Flags & DupBit) != 0;
        if (qos == 3)
        {
            reader.Fail(Violation.Qos3);
        }
        else if (qos == 0 && view.Dup)
        {
            reader.Fail(Violation.DupQos0);
        }

        // The first field, and a string [MQTT-3.3.2-1].
        view.Topic = reader.Utf8();
        if (!view.Topic.IsEmpty && !TopicRules.IsValidName(view.Topic))
        {
            reader.Fail(Violation.TopicWildcard);
        }

        view.PacketId = qos == 0 ? (ushort)0 : reader.PacketId();
        if (version == ProtocolVersion.Mqtt5)
        {
            var list = reader.Take(reader.VariableInteger());
            var hop = list.IsEmpty ? default : ReadProperties(list, ref reader);
            view.TopicAlias = hop.TopicAlias;
            view.HasMessageExpiry = hop.HasExpiry;
            view.MessageExpiryInterval = hop.Expiry;
            view.PayloadIsUtf8 = hop.IsUtf8;
            view.Properties = hop.Bytes == 0 ? list : WithoutHop(list, list.Length - hop.Bytes);
        }

        if (view.Topic.IsEmpty && view.TopicAlias == 0)
        {
            reader.Fail(Violation.EmptyTopic);
        }

        violation = reader.Violation;
        if (violation is not null)
        {
            return false;
        }

        view.Payload = body.Slice(head.Length - reader.Remaining);
        return true;
    }

    private static bool HasWholeHeader(ReadOnlySpan<byte> head, int qos, ProtocolVersion version)
    {
        var reader = new ByteReader(head);
        reader.Binary();
        if (qos > 0)
        {
            reader.UInt16();
        }

        if (version == ProtocolVersion.Mqtt5)
        {
            reader.Take(reader.VariableInteger());
        }

        return reader.IsOk;
    }

    private static HopProperties ReadProperties(ReadOnlySpan<byte> list, scoped ref ByteReader reader)
    {
        var hop = default(HopProperties);
        var properties = new PropertyReader(list, Packets.Publish);
        for (var before = list.Length; properties.Next(); before = properties.Remaining)
        {
            switch (properties.Id)
            {
                case PropertyId.TopicAlias:
                    hop.TopicAlias = (ushort)properties.Number;
                    hop.Bytes += before - properties.Remaining;
                    break;
                case PropertyId.MessageExpiryInterval:
                    hop.HasExpiry = true;
                    hop.Expiry = properties.Number;
                    hop.Bytes += before - properties.Remaining;
                    break;
                case PropertyId.PayloadFormatIndicator:
                    hop.IsUtf8 = properties.Number == 1;
                    break;
                case PropertyId.SubscriptionIdentifier:
                    reader.Fail(Violation.PublishIdentifier);
                    return default;
                default:
                    break;
            }
        }

        if (properties.Violation is { } violation)
        {
            reader.Fail(violation);
            return default;
        }

        return hop;
    }

    /// <summary>The list without what belongs to this hop only.</summary>
    private static byte[] WithoutHop(ReadOnlySpan<byte> list, int length)
    {
        var kept = new byte[length];
        var at = 0;
        var properties = new PropertyReader(list, Packets.Publish);
        for (var start = 0; properties.Next(); start = list.Length - properties.Remaining)
        {
            if (properties.Id is PropertyId.TopicAlias or PropertyId.MessageExpiryInterval)
            {
                continue;
            }

            var property = list[start..^properties.Remaining];
            property.CopyTo(kept.AsSpan(at));
            at += property.Length;
        }

        return kept;
    }

    /// <summary>What belongs to this hop, and how many bytes of the list it takes.</summary>
    private struct HopProperties
    {
        public ushort TopicAlias;
        public bool HasExpiry;
        public uint Expiry;
        public bool IsUtf8;
        public int Bytes;
    }
}
