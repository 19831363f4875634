using System.Buffers.Binary;
using System.Text;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Grains.Topics;

/// <summary>
/// Messages to and from the bytes of a <see cref="MessageBatch"/>. One message after the other:
/// <code>
/// id : 16, big-endian | flags : 1 | [expires at, ms since 1970 : 8, big-endian]
/// | publisher's length | topic's | properties' | payload's   (LEB128 each)
/// | publisher, UTF-8 | topic, properties, payload
/// flags: QoS 0-1, RETAIN 2, expires 3, may be repeated 4, not to be retained 5; the others are 0
/// </code>
/// </summary>
public static class MessageBatchCodec
{
    private const int QosMask = 0x03;
    private const int RetainBit = 0x04;
    private const int ExpiresBit = 0x08;
    private const int MayRepeatBit = 0x10;
    private const int RetainRefusedBit = 0x20;
    private const int AllBits = QosMask | RetainBit | ExpiresBit | MayRepeatBit | RetainRefusedBit;

    /// <summary>Encodes messages, in order, into one array of the exact size.</summary>
    /// <param name="origin">Silo that has delivered them to its own sessions.</param>
    public static MessageBatch Encode(IReadOnlyList<RoutedMessage> messages, SiloAddress? origin)
    {
        var size = 0;
        foreach (var message in messages)
        {
            size = checked(size + SizeOf(message));
        }

        var bytes = GC.AllocateUninitializedArray<byte>(size);
        var rest = bytes.AsSpan();
        foreach (var message in messages)
        {
            rest = rest[Write(rest, message)..];
        }

        return new MessageBatch { Origin = origin, Count = messages.Count, Bytes = bytes };
    }

    /// <summary>Decodes all messages, in order. Each owns its bytes.</summary>
    /// <exception cref="InvalidDataException">The bytes are not what <see cref="Encode"/> makes.</exception>
    public static List<RoutedMessage> Decode(MessageBatch batch)
    {
        // The count is not believed for more than the bytes can hold.
        var messages = new List<RoutedMessage>(Math.Clamp(batch.Count, 0, batch.Bytes.Length / MessageId.ByteCount));
        ReadOnlySpan<byte> rest = batch.Bytes;
        while (!rest.IsEmpty)
        {
            messages.Add(Read(ref rest));
        }

        return messages.Count == batch.Count ? messages : throw Malformed();
    }

    private static int SizeOf(in RoutedMessage routed)
    {
        var message = routed.Message;
        var publisher = Encoding.UTF8.GetByteCount(message.Publisher);
        var size = MessageId.ByteCount + 1 + (message.ExpiresAt == long.MaxValue ? 0 : sizeof(long))
            + SizeOf(publisher) + SizeOf(message.TopicLength)
            + SizeOf(message.PropertiesLength) + SizeOf(message.Payload.Length) + publisher + message.Size;
        return size;
    }

    private static int Write(Span<byte> destination, in RoutedMessage routed)
    {
        var message = routed.Message;
        BinaryPrimitives.WriteUInt64BigEndian(destination, message.Id.High);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], message.Id.Low);
        var expires = message.ExpiresAt != long.MaxValue;
        destination[16] = (byte)((int)message.Qos | (message.Retain ? RetainBit : 0) | (expires ? ExpiresBit : 0)
            | (message.MayRepeat ? MayRepeatBit : 0) | (message.IsRetainRefused ? RetainRefusedBit : 0));
        var at = MessageId.ByteCount + 1;
        if (expires)
        {
            BinaryPrimitives.WriteInt64BigEndian(destination[at..], message.ExpiresAt);
            at += sizeof(long);
        }

        WriteNumber(destination, ref at, Encoding.UTF8.GetByteCount(message.Publisher));
        WriteNumber(destination, ref at, message.TopicLength);
        WriteNumber(destination, ref at, message.PropertiesLength);
        WriteNumber(destination, ref at, message.Payload.Length);
        at += Encoding.UTF8.GetBytes(message.Publisher, destination[at..]);
        message.Bytes.Span.CopyTo(destination[at..]);
        return at + message.Size;
    }

    private static RoutedMessage Read(ref ReadOnlySpan<byte> rest)
    {
        var high = BinaryPrimitives.ReadUInt64BigEndian(Take(ref rest, 8));
        var low = BinaryPrimitives.ReadUInt64BigEndian(Take(ref rest, 8));
        int flags = Take(ref rest, 1)[0];
        if ((flags & QosMask) > (int)QualityOfService.ExactlyOnce || flags > AllBits)
        {
            throw Malformed();
        }

        var expiresAt = (flags & ExpiresBit) == 0 ? long.MaxValue : BinaryPrimitives.ReadInt64BigEndian(Take(ref rest, 8));
        var publisherLength = ReadNumber(ref rest);
        var topicLength = ReadNumber(ref rest);
        var propertiesLength = ReadNumber(ref rest);
        var payloadLength = ReadNumber(ref rest);
        var publisher = Encoding.UTF8.GetString(Take(ref rest, publisherLength));
        var size = (long)topicLength + propertiesLength + payloadLength;
        if (size > rest.Length)
        {
            throw Malformed();
        }

        var qos = (QualityOfService)(flags & QosMask);
        var message = new ApplicationMessage(Take(ref rest, (int)size).ToArray(), topicLength, propertiesLength)
        {
            Id = new MessageId(high, low),
            Qos = qos,
            Retain = (flags & RetainBit) != 0,
            ExpiresAt = expiresAt,
            Publisher = publisher,
            MayRepeat = (flags & MayRepeatBit) != 0,
            IsRetainRefused = (flags & RetainRefusedBit) != 0,
        };
        return new RoutedMessage(message);
    }

    private static int SizeOf(int number)
    {
        var size = 1;
        for (; number > 0x7F; number >>= 7)
        {
            size++;
        }

        return size;
    }

    private static void WriteNumber(Span<byte> destination, ref int at, int number)
    {
        for (; number > 0x7F; number >>= 7)
        {
            destination[at++] = (byte)(number | 0x80);
        }

        destination[at++] = (byte)number;
    }

    private static int ReadNumber(ref ReadOnlySpan<byte> rest)
    {
        var number = 0L;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var next = Take(ref rest, 1)[0];
            number |= (long)(next & 0x7F) << shift;
            if (next <= 0x7F)
            {
                return number <= int.MaxValue ? (int)number : throw Malformed();
            }
        }

        throw Malformed();
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, int count)
    {
        if (count > rest.Length)
        {
            throw Malformed();
        }

        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    private static InvalidDataException Malformed() => new("A message batch does not decode.");
}
