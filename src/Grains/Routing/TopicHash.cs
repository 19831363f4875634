using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Broker.Grains.Routing;

/// <summary>
/// 64-bit hash of topics, filters and levels, keyed with secrets of this process so that a client cannot choose
/// names that collide. Not stable across processes: never store or send it.
/// </summary>
public static class TopicHash
{
    private static readonly ulong Seed = Secret();
    private static readonly ulong Key = Secret();
    private static readonly ulong PlaceKey = Secret();

    /// <summary>Hash of the bytes of a topic, a filter or one level of either.</summary>
    public static ulong Of(ReadOnlySpan<byte> text)
    {
        var key = Key;
        var state = Seed;
        var length = (ulong)text.Length;
        ulong first = 0;
        ulong last = 0;
        if (text.Length > 16)
        {
            var rest = text;
            do
            {
                state = Fold(Read64(rest) ^ key, Read64(rest[8..]) ^ state);
                rest = rest[16..];
            }
            while (rest.Length > 16);

            // The last 16 bytes, which may overlap with what was read: no loop over the tail.
            first = Read64(text[^16..]);
            last = Read64(text[^8..]);
        }
        else if (text.Length >= 8)
        {
            first = Read64(text);
            last = Read64(text[^8..]);
        }
        else if (text.Length >= 4)
        {
            first = BinaryPrimitives.ReadUInt32LittleEndian(text);
            last = BinaryPrimitives.ReadUInt32LittleEndian(text[^4..]);
        }
        else if (text.Length > 0)
        {
            first = ((ulong)text[0] << 16) | ((ulong)text[text.Length >> 1] << 8) | text[^1];
        }

        return Fold(key ^ length, Fold(first ^ key, last ^ state));
    }

    /// <summary>
    /// Hash of a level in its place. The hash of a filter is the sum of those of its levels, so that the one of the same filter with
    /// '+' elsewhere is found by adding and subtracting; as each is keyed, sums collide as seldom as other hashes.
    /// </summary>
    /// <param name="place">Number of levels before it.</param>
    public static ulong OfLevel(int place, ReadOnlySpan<byte> level) =>
        Fold(Of(level) ^ Key, ((ulong)(place + 1) * 0x9E3779B97F4A7C15ul) ^ PlaceKey);

    /// <summary>Sum of the hashes of all levels of a filter.</summary>
    public static ulong OfFilter(ReadOnlySpan<byte> filter)
    {
        var sum = 0ul;
        var place = 0;
        foreach (var level in new LevelReader(filter))
        {
            sum += OfLevel(place++, level);
        }

        return sum;
    }

    private static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }

    private static ulong Read64(ReadOnlySpan<byte> from) => BinaryPrimitives.ReadUInt64LittleEndian(from);

    // Odd, and never near zero: a factor of zero would wipe the state out.
    private static ulong Secret() =>
        BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 0x8000_0000_0000_0001;
}
