namespace Broker.Grains.Routing;

/// <summary>
/// A place of a <see cref="FilterShard" />. The word is written once, after the value, and never changes while the shard is in
/// use; the value comes and goes.
/// </summary>
/// <remarks>Word: hash : 34 | offset of the key : 28 | set : 1 | used : 1. Zero is an empty place.</remarks>
internal struct FilterSlot
{
    /// <summary>Says that the value is a <see cref="ReferenceSet" /> with further subscribers, not a subscriber.</summary>
    public const ulong IsSet = 2;

    /// <summary>Bits of a hash that are left for the directory.</summary>
    public const int DirectoryBitCount = 64 - HashShift - FilterShard.SlotBits;

    private const ulong IsUsed = 1;
    private const int OffsetShift = 2;
    private const int HashShift = 30;
    private const ulong OffsetMask = (1ul << (HashShift - OffsetShift)) - 1;

    /// <summary>Written once.</summary>
    public ulong Word;

    /// <summary>A subscriber, or a set of them; null when there is none now.</summary>
    public object? Value;

    /// <summary>The word for a key.</summary>
    /// <param name="kind">0 or <see cref="IsSet" />.</param>
    public static ulong WordOf(ulong hash, int keyOffset, ulong kind) =>
        (hash >> HashShift << HashShift) | ((ulong)(uint)keyOffset << OffsetShift) | kind | IsUsed;

    /// <summary>Whether the word agrees with as much of the hash as it keeps.</summary>
    public static bool Agrees(ulong word, ulong hash) => (word ^ hash) >> HashShift == 0;

    /// <summary>Where the key lies in its shard.</summary>
    public static int KeyOffset(ulong word) => (int)((word >> OffsetShift) & OffsetMask);

    /// <summary>First place to look at. From bits that a word keeps, so that a copy of a shard needs no hash anew.</summary>
    public static int FirstPlace(ulong hash) => (int)(hash >> HashShift) & (FilterShard.SlotCount - 1);

    /// <summary>The bits from which the directory takes as many as it needs; a word keeps them too.</summary>
    public static uint DirectoryBits(ulong hash) => (uint)(hash >> (HashShift + FilterShard.SlotBits));
}
