namespace Broker.Grains.Routing;

/// <summary>Shard of objects that know their own key. A removed object leaves its tag behind, so that probing goes on.</summary>
internal sealed class RefShard<TItem>(int depth, uint pattern) : Shard(depth, pattern)
    where TItem : class
{
    /// <summary>A part of the hash that the slot and the directory do not use; 0 is empty for ever.</summary>
    public readonly ushort[] Tags = new ushort[SlotCount];

    /// <summary>The object of each slot; null when it was removed.</summary>
    public readonly TItem?[] Items = new TItem?[SlotCount];

    public static ushort TagOf(ulong hash) => (ushort)((hash >> 48) | 1);

    /// <summary>Adds an object that is not there; the shard has room. Under the lock.</summary>
    public void Insert(ulong hash, TItem item)
    {
        var slot = SlotOf(hash);
        while (Tags[slot] != 0)
        {
            slot = (slot + 1) & (SlotCount - 1);
        }

        // The object before the tag that makes readers look at it.
        Volatile.Write(ref Items[slot], item);
        Volatile.Write(ref Tags[slot], TagOf(hash));
        Used++;
        Live++;
    }

    /// <summary>Removes an object that is there. Under the lock.</summary>
    public void Remove(ulong hash, TItem item)
    {
        var slot = SlotOf(hash);
        while (!ReferenceEquals(Items[slot], item))
        {
            slot = (slot + 1) & (SlotCount - 1);
        }

        Volatile.Write(ref Items[slot], null);
        Live--;
    }
}
