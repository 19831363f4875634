using System.Buffers;
using Xunit;

namespace Broker.Protocol.Tests;

public sealed class AllocationTests
{
    private const int Rounds = 1000;

    private static readonly byte[] Topic = "sensors/kitchen/temperature"u8.ToArray();
    private static readonly byte[] Properties = [0x01, 0x01, 0x03, 0x00, 0x01, 0x61];
    private static readonly ReadOnlySequence<byte> Payload = new(new byte[256]);

    [Theory]
    [InlineData(ProtocolVersion.Mqtt31, QualityOfService.AtMostOnce)]
    [InlineData(ProtocolVersion.Mqtt31, QualityOfService.AtLeastOnce)]
    [InlineData(ProtocolVersion.Mqtt311, QualityOfService.AtMostOnce)]
    [InlineData(ProtocolVersion.Mqtt311, QualityOfService.AtLeastOnce)]
    [InlineData(ProtocolVersion.Mqtt5, QualityOfService.AtMostOnce)]
    [InlineData(ProtocolVersion.Mqtt5, QualityOfService.AtLeastOnce)]
    public void PUBLISH_is_encoded_and_decoded_without_allocation(ProtocolVersion version, QualityOfService qos)
    {
        var buffer = new byte[1024];
        var input = new ReadOnlySequence<byte>(buffer);
        AssertAllocatesNothing(() =>
        {
            var header = new PublishHeader { Version = version, Qos = qos, PacketId = 7 };
            var length = PublishEncoder.Write(buffer, header, Topic, version == ProtocolVersion.Mqtt5 ? Properties : [], Payload);
            var rest = input.Slice(0, length);
            return PacketFramer.TryRead(ref rest, 4096, out var frame) == FrameStatus.Complete
                && PublishDecoder.TryDecode(frame, version, out var view, out _)
                && view.Payload.Length == Payload.Length && rest.IsEmpty;
        });
    }

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311, ReasonCode.Success)]
    [InlineData(ProtocolVersion.Mqtt5, ReasonCode.Success)]
    [InlineData(ProtocolVersion.Mqtt5, ReasonCode.NoMatchingSubscribers)]
    public void PUBACK_is_encoded_and_decoded_without_allocation(ProtocolVersion version, ReasonCode reason)
    {
        var buffer = new byte[AckCodec.MaximumShortLength];
        var input = new ReadOnlySequence<byte>(buffer);
        AssertAllocatesNothing(() =>
        {
            var length = AckCodec.Write(buffer, version, new AckPacket(PacketType.PubAck, 7, reason));
            var rest = input.Slice(0, length);
            return PacketFramer.TryRead(ref rest, 4096, out var frame) == FrameStatus.Complete
                && AckCodec.TryDecode(frame, version, out var packet, out _) && packet.PacketId == 7 && packet.Reason == reason;
        });
    }

    private static void AssertAllocatesNothing(Func<bool> action)
    {
        Assert.True(action());
        var before = GC.GetAllocatedBytesForCurrentThread();
        var isRight = true;
        for (var i = 0; i < Rounds; i++)
        {
            isRight &= action();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(isRight);
    }
}
