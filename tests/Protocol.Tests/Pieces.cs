using System.Buffers;

namespace Broker.Protocol.Tests;

/// <summary>Input as it comes from a socket: cut anywhere.</summary>
internal static class Pieces
{
    public static ReadOnlySequence<byte> OfOneByte(ReadOnlyMemory<byte> bytes) => Cut(bytes, Enumerable.Range(1, Math.Max(0, bytes.Length - 1)));

    /// <summary>Cuts at ascending positions; a position twice makes an empty piece.</summary>
    public static ReadOnlySequence<byte> Cut(ReadOnlyMemory<byte> bytes, IEnumerable<int> positions)
    {
        Piece? first = null;
        Piece? last = null;
        var start = 0;
        foreach (var end in positions.Append(bytes.Length))
        {
            last = new Piece(bytes[start..end], last);
            first ??= last;
            start = end;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    /// <summary>Cuts at up to seven places.</summary>
    public static ReadOnlySequence<byte> AtRandom(ReadOnlyMemory<byte> bytes, int seed)
    {
        var random = new Random(seed);
        return Cut(bytes, Enumerable.Range(0, random.Next(8)).Select(_ => random.Next(bytes.Length + 1)).Order().ToArray());
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
