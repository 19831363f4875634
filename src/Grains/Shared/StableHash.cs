using System.Text;

namespace Broker.Grains.Shared;

/// <summary>
/// Hashes for choices that have to be the same in every process and after every restart. Not for tables: whoever knows the
/// function can make names that collide.
/// </summary>
internal static class StableHash
{
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    /// <summary>FNV-1a over the bytes, mixed.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = Offset;
        foreach (var b in bytes)
        {
            hash = (hash ^ b) * Prime;
        }

        return Mix(hash);
    }

    /// <inheritdoc cref="Of(ReadOnlySpan{byte})" />
    public static ulong Of(string text)
    {
        // Client ids are at most 65,535 bytes; nearly all are far below this.
        Span<byte> small = stackalloc byte[256];
        return Encoding.UTF8.TryGetBytes(text, small, out var written) ? Of(small[..written]) : Of(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Spreads every bit over all: the finisher of MurmurHash3.</summary>
    public static ulong Mix(ulong hash)
    {
        hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCD;
        hash = (hash ^ (hash >> 33)) * 0xC4CEB9FE1A85EC53;
        return hash ^ (hash >> 33);
    }
}
