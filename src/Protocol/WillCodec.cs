using System.Buffers;
using System.Text;

namespace Broker.Protocol;

/// <summary>The Will fields inside CONNECT (MQTT 5.0 sections 3.1.3.2 to 3.1.3.4).</summary>
internal static class WillCodec
{
    /// <summary>The fields of the Will in the payload, with the QoS and RETAIN that the Connect Flags say [MQTT-3.1.2-9].</summary>
    public static WillMessage Read(ref ByteReader reader, byte connectFlags, ProtocolVersion version)
    {
        uint delay = 0;
        uint? expiry = null;
        byte[] forwarded = [];
        if (version == ProtocolVersion.Mqtt5)
        {
            ReadProperties(ref reader, ref delay, ref expiry, ref forwarded);
        }

        var topic = reader.Utf8();
        if (reader.IsOk && !TopicRules.IsValidName(topic))
        {
            reader.Fail(Violation.WillTopic);
        }

        return new WillMessage
        {
            Topic = reader.IsOk ? Encoding.UTF8.GetString(topic) : "",
            Payload = reader.Binary().ToArray(),
            Qos = (QualityOfService)((connectFlags >> 3) & 0x03),
            Retain = (connectFlags & 0x20) != 0,
            DelayInterval = delay,
            MessageExpiryInterval = expiry,
            Properties = forwarded,
        };
    }

    public static void Write(ArrayBufferWriter<byte> writer, WillMessage will, ProtocolVersion version)
    {
        if (version == ProtocolVersion.Mqtt5)
        {
            var own = new ArrayBufferWriter<byte>();
            new PropertySet()
                .Set(PropertyId.WillDelayInterval, will.DelayInterval == 0 ? null : will.DelayInterval)
                .Set(PropertyId.MessageExpiryInterval, will.MessageExpiryInterval)
                .Write(own);

            // A list this short has a length of one byte, which is replaced by that of both lists.
            writer.WriteVariableInteger(own.WrittenCount - 1 + will.Properties.Length);
            writer.Write(own.WrittenSpan[1..]);
            writer.Write(will.Properties);
        }

        writer.WriteText(will.Topic);
        writer.WriteBinary(will.Payload);
    }

    private static void ReadProperties(ref ByteReader reader, ref uint delay, ref uint? expiry, ref byte[] forwarded)
    {
        var list = reader.Take(reader.VariableInteger());
        var kept = new ArrayBufferWriter<byte>();
        var properties = new PropertyReader(list, Packets.Will);
        for (var start = 0; properties.Next(); start = list.Length - properties.Remaining)
        {
            switch (properties.Id)
            {
                case PropertyId.WillDelayInterval:
                    delay = properties.Number;
                    break;
                case PropertyId.MessageExpiryInterval:
                    expiry = properties.Number;
                    break;
                default:
                    // As it was sent and where it stood: User Properties keep their order [MQTT-3.1.3-10].
                    kept.Write(list[start..^properties.Remaining]);
                    break;
            }
        }

        if (properties.Violation is { } violation)
        {
            reader.Fail(violation);
        }

        forwarded = kept.WrittenSpan.ToArray();
    }
}
