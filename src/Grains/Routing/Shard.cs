namespace Broker.Grains.Routing;

/// <summary>
/// One bucket of an extendible hash table. Readers use it without a lock, so what it says about a slot changes only
/// from "empty" to "this key" while the shard is in use, and never to another key: a reader may be looking at it. Space of
/// removed keys comes back when the shard is replaced by a fresh copy; the garbage collector keeps the old one for
/// as long as a reader needs it, and that is the whole reclamation scheme.
/// </summary>
internal abstract class Shard(int depth, uint pattern)
{
    /// <summary>Slots of a shard, a power of two. Small, so that a copy takes microseconds and no writer waits long.</summary>
    public const int SlotCount = 1 << SlotBits;

    /// <summary>Most slots in use, dead ones included: three quarters, where linear probing is still short.</summary>
    public const int MaxUsed = SlotCount / 4 * 3;

    /// <summary>A full shard with more live keys than this is split; with fewer it is copied without its dead ones.</summary>
    public const int SplitAbove = SlotCount / 2;

    /// <summary>Two halves are joined when together they hold at most this many, well below the split.</summary>
    public const int JoinBelow = SlotCount / 4;

    private const int SlotBits = 10;

    /// <summary>How many hash bits the directory uses to come here.</summary>
    public int Depth { get; } = depth;

    /// <summary>The value of those bits.</summary>
    public uint Pattern { get; } = pattern;

    /// <summary>Slots in use, dead ones included. Writers only.</summary>
    public int Used { get; protected set; }

    /// <summary>Slots in use by keys that are present. Writers only.</summary>
    public int Live { get; set; }

    /// <summary>The bits of a hash from which the directory takes as many as it needs; disjoint from the slot and the tag.</summary>
    public static uint DirectoryBits(ulong hash) => (uint)(hash >> SlotBits) & 0xFFFFFF;

    /// <summary>First slot to look at.</summary>
    public static int SlotOf(ulong hash) => (int)hash & (SlotCount - 1);

    /// <summary>Whether a key belongs to the upper half when this shard is split.</summary>
    public bool GoesUp(ulong hash) => ((DirectoryBits(hash) >> Depth) & 1) != 0;
}
