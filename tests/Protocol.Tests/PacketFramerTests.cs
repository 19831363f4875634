using System.Buffers;
using Xunit;

namespace Broker.Protocol.Tests;

public sealed class PacketFramerTests
{
    [Theory]
    [InlineData("30 FF FF FF 7F", FrameStatus.TooLarge)]
    [InlineData("30 E5 07", FrameStatus.TooLarge)]
    [InlineData("30 E6 07", FrameStatus.TooLarge)]
    public void TooLarge_is_answered_before_the_body_has_arrived(string hex, FrameStatus expected) =>
        Assert.Equal(expected, Read(hex, maximum: 999));

    [Theory]
    [InlineData("10 05", "")]
    [InlineData("10 05 00 04", "0004")]
    [InlineData("10 05 00 04 4D 51 54 C0 00", "00044D5154")]
    public void TooLarge_gives_what_has_come_of_the_packet_and_nothing_of_the_next(string hex, string expected)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        var whole = new ReadOnlySequence<byte>(bytes);
        var pieces = Pieces.OfOneByte(bytes);

        Assert.Equal(FrameStatus.TooLarge, PacketFramer.TryRead(ref whole, 6, out var frame));
        Assert.Equal(FrameStatus.TooLarge, PacketFramer.TryRead(ref pieces, 6, out var frameOfPieces));

        Assert.Equal(PacketType.Connect, frame.Type);
        Assert.Equal(expected, Convert.ToHexString(frame.Body.ToArray()));
        Assert.Equal(expected, Convert.ToHexString(frameOfPieces.Body.ToArray()));
    }

    [Theory]
    [InlineData("30 E5 07", FrameStatus.Incomplete)]
    [InlineData("30 E6 07", FrameStatus.TooLarge)]
    public void Maximum_packet_size_counts_the_fixed_header(string hex, FrameStatus expected) =>
        Assert.Equal(expected, Read(hex, maximum: 1000));

    [Theory]
    [InlineData("", FrameStatus.Incomplete)]
    [InlineData("C0", FrameStatus.Incomplete)]
    [InlineData("C0 00", FrameStatus.Complete)]
    [InlineData("30 7F", FrameStatus.Incomplete)]
    [InlineData("30 80", FrameStatus.Incomplete)]
    [InlineData("30 80 01", FrameStatus.Incomplete)]
    [InlineData("30 FF 7F", FrameStatus.Incomplete)]
    [InlineData("30 80 80 01", FrameStatus.Incomplete)]
    [InlineData("30 FF FF 7F", FrameStatus.Incomplete)]
    [InlineData("30 80 80 80 01", FrameStatus.Incomplete)]
    [InlineData("30 FF FF FF", FrameStatus.Incomplete)]
    [InlineData("30 FF FF FF 7F", FrameStatus.Incomplete)]
    [InlineData("30 FF FF FF 80", FrameStatus.Malformed)]
    [InlineData("30 80 00", FrameStatus.Malformed)]
    [InlineData("30 FF 00", FrameStatus.Malformed)]
    [InlineData("30 80 80 00", FrameStatus.Malformed)]
    [InlineData("30 80 80 80 00", FrameStatus.Malformed)]
    public void Remaining_Length_takes_one_to_four_bytes_in_its_shortest_form_MQTT_1_5_5_1(string hex, FrameStatus expected) =>
        Assert.Equal(expected, Read(hex, maximum: int.MaxValue));

    [Fact]
    public void Every_prefix_of_a_valid_packet_is_incomplete_and_leaves_the_input_as_it_is()
    {
        foreach (var (_, bytes) in ValidPackets.All)
        {
            for (var length = 0; length < bytes.Length; length++)
            {
                var whole = new ReadOnlySequence<byte>(bytes, 0, length);
                var pieces = Pieces.OfOneByte(bytes.AsMemory(0, length));

                Assert.Equal(FrameStatus.Incomplete, PacketFramer.TryRead(ref whole, 4096, out _));
                Assert.Equal(FrameStatus.Incomplete, PacketFramer.TryRead(ref pieces, 4096, out _));
                Assert.Equal(length, whole.Length);
                Assert.Equal(length, pieces.Length);
            }
        }
    }

    [Fact]
    public void Every_valid_packet_is_accepted_whole_and_in_pieces()
    {
        foreach (var (version, bytes) in ValidPackets.All)
        {
            Assert.Null(ServerInput.Check(new ReadOnlySequence<byte>(bytes), version));
            Assert.Null(ServerInput.Check(Pieces.OfOneByte(bytes), version));
        }
    }

    private static FrameStatus Read(string hex, int maximum)
    {
        var input = new ReadOnlySequence<byte>(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        return PacketFramer.TryRead(ref input, maximum, out _);
    }
}
