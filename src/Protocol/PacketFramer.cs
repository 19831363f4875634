using System.Buffers;

namespace Broker.Protocol;

/// <summary>Slices packets off a byte stream (MQTT section 2.1). Reserves nothing on the word of a length.</summary>
public static class PacketFramer
{
    /// <summary>Longest fixed header: type and four bytes of Remaining Length.</summary>
    public const int MaximumFixedHeader = 5;

    /// <summary>Slices the first packet off and advances <paramref name="buffer"/> past it.</summary>
    /// <param name="maximumPacketSize">Limit of the whole packet in bytes, fixed header included.</param>
    /// <param name="frame">
    /// The packet when the answer is <see cref="FrameStatus.Complete"/>, what has come of it when the answer is
    /// <see cref="FrameStatus.TooLarge"/>; valid as long as the buffer.
    /// </param>
    public static FrameStatus TryRead(ref ReadOnlySequence<byte> buffer, int maximumPacketSize, out PacketFrame frame)
    {
        frame = default;
        var head = buffer.FirstSpan;
        if (head.Length < MaximumFixedHeader && !buffer.IsSingleSegment)
        {
            Span<byte> copy = stackalloc byte[MaximumFixedHeader];
            var length = (int)Math.Min(buffer.Length, MaximumFixedHeader);
            buffer.Slice(0, length).CopyTo(copy);
            return TryRead(ref buffer, copy[..length], maximumPacketSize, ref frame);
        }

        return TryRead(ref buffer, head, maximumPacketSize, ref frame);
    }

    private static FrameStatus TryRead(
        ref ReadOnlySequence<byte> buffer, scoped ReadOnlySpan<byte> head, int maximumPacketSize, ref PacketFrame frame)
    {
        var remaining = 0;
        for (var i = 1; i < MaximumFixedHeader; i++)
        {
            if (i >= head.Length)
            {
                return FrameStatus.Incomplete;
            }

            remaining |= (head[i] & 0x7F) << (7 * (i - 1));
            if ((head[i] & 0x80) != 0)
            {
                continue;
            }

            if (i > 1 && head[i] == 0)
            {
                // The shortest form must be used [MQTT-1.5.5-1].
                return FrameStatus.Malformed;
            }

            var total = 1 + i + remaining;
            if (total > maximumPacketSize)
            {
                frame = new PacketFrame(head[0], buffer.Slice(1 + i, Math.Min(remaining, buffer.Length - 1 - i)));
                return FrameStatus.TooLarge;
            }

            if (buffer.Length < total)
            {
                return FrameStatus.Incomplete;
            }

            frame = new PacketFrame(head[0], buffer.Slice(1 + i, remaining));
            buffer = buffer.Slice(total);
            return FrameStatus.Complete;
        }

        return FrameStatus.Malformed;
    }
}
