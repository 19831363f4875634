using System.Buffers;
using System.Text;
using Broker.Protocol.Tests.Malformed;
using CsCheck;
using Xunit;

namespace Broker.Protocol.Tests;

public sealed class PublishRoundTripTests
{
    private const int Iterations = 5000;

    private static readonly string[] Forwarded =
        ["0101", "03000161", "08000172", "09000300FF10", "26000161000162", "26000161000163", "2600000000"];

    [Fact]
    public void PUBLISH_is_read_as_it_was_written() =>
        Gen.Select(Samples.Version, Samples.Qos, Samples.PacketId, Samples.Topic, Gen.Byte.Array[0, 300], Gen.Bool, Gen.Int)
            .Sample(
                (version, qos, id, topic, payload, flag, cut) =>
                {
                    var name = Encoding.UTF8.GetBytes(topic);
                    var is5 = version == ProtocolVersion.Mqtt5;
                    byte[] properties = is5 && flag ? [0x01, 0x01, 0x03, 0x00, 0x01, 0x61] : [];
                    var header = new PublishHeader
                    {
                        Version = version, Qos = qos, PacketId = id, Retain = flag, Dup = flag && qos != 0,
                        TopicAlias = is5 && flag ? (ushort)9 : (ushort)0, HasMessageExpiry = is5 && flag, MessageExpiryInterval = 77,
                    };
                    var buffer = new byte[PublishEncoder.Measure(header, name.Length, properties.Length, payload.Length)];
                    var content = Pieces.AtRandom(payload, cut);
                    Assert.Equal(buffer.Length, PublishEncoder.Write(buffer, header, name, properties, content));

                    var view = Read(buffer, version, cut);
                    Assert.Equal(name, view.Topic);
                    Assert.Equal(payload, view.Payload);
                    Assert.Equal(properties, view.Properties);
                    Assert.Equal((qos, flag, header.Dup), (view.Qos, view.Retain, view.Dup));
                    Assert.Equal(qos == 0 ? 0 : id, view.PacketId);
                    Assert.Equal(header.TopicAlias, view.TopicAlias);
                    Assert.Equal((header.HasMessageExpiry, is5 && flag ? 77u : 0u), (view.HasMessageExpiry, view.MessageExpiryInterval));
                    Assert.Equal(is5 && flag, view.PayloadIsUtf8);
                },
                iter: Iterations);

    [Fact]
    public void Forwarded_properties_keep_order_and_bytes_without_Topic_Alias_and_Message_Expiry_MQTT_3_3_2_17() =>
        Gen.Select(Gen.Int, Gen.Bool, Gen.Bool, Gen.Int).Sample(
            (seed, hasAlias, hasExpiry, cut) =>
            {
                var random = new Random(seed);
                var list = Forwarded.Where(_ => random.Next(2) == 0)
                    .Concat(hasAlias ? ["230007"] : []).Concat(hasExpiry ? ["020000000A"] : []).ToArray();
                random.Shuffle(list);
                var hex = Hex.Packet(
                    ProtocolVersion.Mqtt5, "32", Hex.Text("a"), "00 01", Hex.Properties(list), "6D");
                var expected = string.Concat(list.Where(property => property[..2] is not ("23" or "02")));

                var view = Read(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), ProtocolVersion.Mqtt5, cut);

                Assert.Equal(expected.Replace(" ", "", StringComparison.Ordinal), Convert.ToHexString(view.Properties));
                Assert.Equal(hasAlias ? 7 : 0, view.TopicAlias);
                Assert.Equal((hasExpiry, hasExpiry ? 10u : 0u), (view.HasMessageExpiry, view.MessageExpiryInterval));
            },
            iter: Iterations);

    private static PublishCopy Read(byte[] bytes, ProtocolVersion version, int cut)
    {
        var input = Pieces.AtRandom(bytes, cut);
        Assert.Equal(FrameStatus.Complete, PacketFramer.TryRead(ref input, int.MaxValue, out var frame));
        Assert.True(PublishDecoder.TryDecode(frame, version, out var view, out var violation), violation?.Description);
        return new PublishCopy(
            view.Topic.ToArray(), view.Payload.ToArray(), view.Properties.ToArray(), view.PacketId, view.Qos, view.Retain, view.Dup,
            view.TopicAlias, view.HasMessageExpiry, view.MessageExpiryInterval, view.PayloadIsUtf8);
    }

    private sealed record PublishCopy(
        byte[] Topic, byte[] Payload, byte[] Properties, ushort PacketId, QualityOfService Qos, bool Retain, bool Dup,
        ushort TopicAlias, bool HasMessageExpiry, uint MessageExpiryInterval, bool PayloadIsUtf8);
}
