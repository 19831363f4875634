using System.Net;
using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Topics;
using Broker.Protocol;
using CsCheck;
using Xunit;

namespace Broker.Grains.Tests.Topics;

public sealed class MessageBatchCodecTests
{
    private static readonly Gen<RoutedMessage> Message = Gen.Select(
        Gen.String[Gen.Char['a', 'ſ'], 1, 60],
        Gen.Byte.Array[0, 40],
        Gen.OneOf(Gen.Byte.Array[0, 20], Gen.Byte.Array[100, 400]),
        Gen.Select(Gen.Enum<QualityOfService>(), Gen.Bool, Gen.OneOf(Gen.Const(long.MaxValue), Gen.Long[0, long.MaxValue])),
        Gen.String[Gen.Char['0', 'ÿ'], 0, 30],
        Gen.Select(Gen.ULong, Gen.ULong[1, ulong.MaxValue], Gen.Bool, Gen.Bool),
        (topic, properties, payload, head, publisher, id) =>
        {
            var routed = Make(topic, properties, payload, head, publisher, new MessageId(id.Item1, id.Item2));
            (routed.Message.MayRepeat, routed.Message.IsRetainRefused) = (id.Item3, id.Item4);
            return routed;
        });

    [Fact]
    public void What_is_encoded_is_decoded() =>
        Message.Array[0, 20].Sample(
            messages =>
            {
                var origin = SiloAddress.New(IPAddress.Loopback, 11111, 7);
                var batch = MessageBatchCodec.Encode(messages, origin);
                var decoded = MessageBatchCodec.Decode(batch);
                return batch.Origin == origin && batch.Count == messages.Length
                    && decoded.Count == messages.Length && messages.Zip(decoded).All(p => Same(p.First, p.Second));
            },
            iter: 5_000);

    [Fact]
    public void Damaged_bytes_are_refused_and_never_read_past_their_end() =>
        Gen.Select(Message.Array[1, 5], Gen.Double[0, 1], Gen.Byte, Gen.Bool).Sample(
            (messages, place, value, isCut) =>
            {
                var batch = MessageBatchCodec.Encode(messages, null);
                var bytes = batch.Bytes.ToArray();
                var at = (int)(place * (bytes.Length - 1));
                bytes[at] = value;
                try
                {
                    MessageBatchCodec.Decode(batch with { Bytes = isCut ? bytes[..at] : bytes });
                    return !isCut;
                }
                catch (InvalidDataException)
                {
                    return true;
                }
            },
            iter: 20_000);

    [Fact]
    public void A_wrong_count_is_refused()
    {
        var batch = MessageBatchCodec.Encode([Plain("a", 1)], null);
        Assert.Throws<InvalidDataException>(() => MessageBatchCodec.Decode(batch with { Count = int.MaxValue }));
        Assert.Throws<InvalidDataException>(() => MessageBatchCodec.Decode(batch with { Count = 0 }));
    }

    [Fact]
    public void Each_part_stands_once_and_the_rest_costs_little()
    {
        var batch = MessageBatchCodec.Encode([.. Enumerable.Range(1, 100).Select(i => Plain("some/topic", i))], null);
        Assert.Equal(100 * (16 + 1 + 4 + "some/topic".Length + sizeof(int)), batch.Bytes.Length);
    }

    internal static RoutedMessage Plain(string topic, int value, QualityOfService qos = QualityOfService.AtLeastOnce) => Make(
        topic, [], BitConverter.GetBytes(value), (qos, false, long.MaxValue), "", new MessageId(1, (ulong)value + 1));

    private static RoutedMessage Make(
        string topic, byte[] properties, byte[] payload, (QualityOfService Qos, bool Retain, long ExpiresAt) head, string publisher,
        MessageId id)
    {
        var topicBytes = Encoding.UTF8.GetBytes(topic);
        var message = new ApplicationMessage([.. topicBytes, .. properties, .. payload], topicBytes.Length, properties.Length)
        {
            Id = id,
            Qos = head.Qos,
            Retain = head.Retain,
            ExpiresAt = head.ExpiresAt,
            Publisher = publisher,
        };
        return new RoutedMessage(message);
    }

    private static bool Same(in RoutedMessage left, in RoutedMessage right)
    {
        var (a, b) = (left.Message, right.Message);
        return a.MayRepeat == b.MayRepeat && a.IsRetainRefused == b.IsRetainRefused
            && a.Id == b.Id && a.Qos == b.Qos && a.Retain == b.Retain && a.ExpiresAt == b.ExpiresAt && a.Publisher == b.Publisher
            && a.Topic.SequenceEqual(b.Topic) && a.Properties.SequenceEqual(b.Properties) && a.Payload.SequenceEqual(b.Payload);
    }
}
