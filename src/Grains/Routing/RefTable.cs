namespace Broker.Grains.Routing;

/// <summary>
/// Hash table of objects that know their own key; what a lookup compares is up to the derived table.
/// <see cref="Shard" /> says how readers do without a lock.
/// </summary>
internal abstract class RefTable<TItem>
    where TItem : class
{
    protected ShardDirectory<RefShard<TItem>> Shards { get; } = new(new RefShard<TItem>(0, 0));

    /// <summary>Adds an object whose key is not there. Under the lock.</summary>
    public void Insert(TItem item)
    {
        var hash = HashOf(item);
        var shard = Shards.Find(hash);
        while (shard.Used >= Shard.MaxUsed)
        {
            if (shard.Live > Shard.SplitAbove)
            {
                Split(shard);
            }
            else
            {
                var copy = new RefShard<TItem>(shard.Depth, shard.Pattern);
                Copy(shard, copy, copy);
                Shards.Publish(copy);
            }

            shard = Shards.Find(hash);
        }

        shard.Insert(hash, item);
    }

    /// <summary>Removes an object that is there. Under the lock.</summary>
    public void Remove(TItem item)
    {
        var hash = HashOf(item);
        var shard = Shards.Find(hash);
        shard.Remove(hash, item);
        if (shard.Live <= Shard.JoinBelow / 2
            && Shards.Buddy(shard) is { } buddy && shard.Live + buddy.Live <= Shard.JoinBelow)
        {
            var joined = new RefShard<TItem>(shard.Depth - 1, Math.Min(shard.Pattern, buddy.Pattern));
            Copy(shard, joined, joined);
            Copy(buddy, joined, joined);
            Shards.Publish(joined);
        }
    }

    /// <summary>The shards, to be inspected without the lock. Under the lock.</summary>
    public List<RefShard<TItem>> Snapshot() => Shards.Snapshot();

    protected abstract ulong HashOf(TItem item);

    private void Split(RefShard<TItem> shard)
    {
        var low = new RefShard<TItem>(shard.Depth + 1, shard.Pattern);
        var high = new RefShard<TItem>(shard.Depth + 1, shard.Pattern | (1u << shard.Depth));
        Copy(shard, low, high);
        Shards.Publish(low);
        Shards.Publish(high);
    }

    private void Copy(RefShard<TItem> from, RefShard<TItem> low, RefShard<TItem> high)
    {
        foreach (var item in from.Items)
        {
            if (item is not null)
            {
                var hash = HashOf(item);
                (from.GoesUp(hash) ? high : low).Insert(hash, item);
            }
        }
    }
}
