using System.Buffers;
using System.Buffers.Binary;

namespace Broker.Protocol;

/// <summary>Encodes PUBLISH (MQTT section 3.3) into memory that the caller provides.</summary>
public static class PublishEncoder
{
    /// <summary>Bytes of the whole packet: compare with the receiver's Maximum Packet Size.</summary>
    public static long Measure(in PublishHeader header, int topicLength, int propertiesLength, long payloadLength)
    {
        var remaining = RemainingLength(header, topicLength, propertiesLength, payloadLength);
        return 1 + VariableByteInteger.Length(remaining) + remaining;
    }

    /// <summary>
    /// Writes everything up to the payload and returns the number of bytes.
    /// <code>
    /// fixed header | topic | packet id (QoS 1, 2) | properties (5.0): of this hop, then the message's
    /// </code>
    /// </summary>
    public static int WriteHeader(
        Span<byte> destination, in PublishHeader header, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties, long payloadLength)
    {
        var remaining = RemainingLength(header, topic.Length, properties.Length, payloadLength);
        destination[0] = (byte)(((int)PacketType.Publish << 4)
            | (header.Dup ? 0x08 : 0) | ((int)header.Qos << 1) | (header.Retain ? 0x01 : 0));
        var at = 1 + VariableByteInteger.Write(destination[1..], (int)remaining);

        var name = header.OmitTopic ? [] : topic;
        BinaryPrimitives.WriteUInt16BigEndian(destination[at..], (ushort)name.Length);
        name.CopyTo(destination[(at + 2)..]);
        at += 2 + name.Length;

        if (header.Qos != QualityOfService.AtMostOnce)
        {
            // QoS 0 has none [MQTT-2.2.1-2].
            BinaryPrimitives.WriteUInt16BigEndian(destination[at..], header.PacketId);
            at += 2;
        }

        return header.Version == ProtocolVersion.Mqtt5
            ? at + WriteProperties(destination[at..], header, properties)
            : at;
    }

    /// <summary>Writes the whole packet and returns the number of bytes.</summary>
    public static int Write(
        Span<byte> destination, in PublishHeader header, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties,
        in ReadOnlySequence<byte> payload)
    {
        var at = WriteHeader(destination, header, topic, properties, payload.Length);
        payload.CopyTo(destination[at..]);
        return at + (int)payload.Length;
    }

    private static long RemainingLength(in PublishHeader header, int topicLength, int propertiesLength, long payloadLength)
    {
        var length = 2L + (header.OmitTopic ? 0 : topicLength) + payloadLength;
        if (header.Qos != QualityOfService.AtMostOnce)
        {
            length += 2;
        }

        if (header.Version == ProtocolVersion.Mqtt5)
        {
            var properties = header.OwnPropertiesLength + propertiesLength;
            length += VariableByteInteger.Length(properties) + properties;
        }

        return length;
    }

    private static int WriteProperties(Span<byte> destination, in PublishHeader header, ReadOnlySpan<byte> properties)
    {
        // 0 without properties [MQTT-2.2.2-1].
        var at = VariableByteInteger.Write(destination, header.OwnPropertiesLength + properties.Length);
        if (header.HasMessageExpiry)
        {
            destination[at] = (byte)PropertyId.MessageExpiryInterval;
            BinaryPrimitives.WriteUInt32BigEndian(destination[(at + 1)..], header.MessageExpiryInterval);
            at += 5;
        }

        if (header.TopicAlias != 0)
        {
            destination[at] = (byte)PropertyId.TopicAlias;
            BinaryPrimitives.WriteUInt16BigEndian(destination[(at + 1)..], header.TopicAlias);
            at += 3;
        }

        foreach (var identifier in header.SubscriptionIdentifiers)
        {
            destination[at] = (byte)PropertyId.SubscriptionIdentifier;
            at += 1 + VariableByteInteger.Write(destination[(at + 1)..], (int)identifier);
        }

        properties.CopyTo(destination[at..]);
        return at + properties.Length;
    }
}
