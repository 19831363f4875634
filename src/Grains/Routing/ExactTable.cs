namespace Broker.Grains.Routing;

/// <summary>
/// Filters without wildcard and their subscribers: one look per topic. <see cref="Shard" /> says how readers do without
/// a lock.
/// </summary>
internal sealed class ExactTable
{
    // Room that a copy leaves: a fifth more than it holds, so that copying costs a few moves per added key.
    private const int SpareEntries = 8;
    private const int SpareBytes = 256;

    private readonly ShardDirectory<KeyShard> _shards = new(new KeyShard(0, 0, SpareEntries, SpareBytes));

    /// <summary>Number of filters.</summary>
    public int Count { get; private set; }

    /// <summary>Under the lock. False when this subscriber is there already.</summary>
    public bool Add(ReadOnlySpan<byte> filter, ulong hash, object subscriber)
    {
        var shard = _shards.Find(hash);
        var entry = shard.Find(hash, filter);
        if (entry < 0)
        {
            while (!shard.HasRoom(filter.Length))
            {
                MakeRoom(shard, KeyShard.SizeOf(filter.Length));
                shard = _shards.Find(hash);
            }

            entry = shard.Append(hash, filter);
        }

        if (shard.IsDead(entry))
        {
            Volatile.Write(ref shard.One[entry], subscriber);
            shard.Live++;
            Count++;
            return true;
        }

        return SubscriberSlot.Add(ref shard.One[entry], ref shard.MoreOf(entry), subscriber);
    }

    /// <summary>Under the lock. False when this subscriber is not there.</summary>
    public bool Remove(ReadOnlySpan<byte> filter, ulong hash, object subscriber)
    {
        var shard = _shards.Find(hash);
        var entry = shard.Find(hash, filter);
        SubscriberSet? none = null;
        if (entry < 0 || !(shard.More is null
                ? SubscriberSlot.Remove(ref shard.One[entry], ref none, subscriber)
                : SubscriberSlot.Remove(ref shard.One[entry], ref shard.More[entry], subscriber)))
        {
            return false;
        }

        if (shard.IsDead(entry))
        {
            shard.Live--;
            Count--;
            Shrink(shard);
        }

        return true;
    }

    /// <summary>Starts loading what <see cref="CopyTo" /> will read first. Without the lock.</summary>
    public void Prefetch(ulong hash) => _shards.Find(hash).PrefetchSlot(hash);

    /// <summary>Starts loading what <see cref="CopyTo" /> will read next, some time after <see cref="Prefetch" />. Without the lock.</summary>
    public void PrefetchEntry(ulong hash) => _shards.Find(hash).PrefetchEntry(hash);

    /// <summary>Appends the subscribers of a filter to the result. Without the lock.</summary>
    public void CopyTo(ReadOnlySpan<byte> filter, ulong hash, MatchScratch result)
    {
        var shard = _shards.Find(hash);
        var entry = shard.Find(hash, filter);
        if (entry < 0)
        {
            return;
        }

        if (shard.One[entry] is { } one)
        {
            result.Append(one);
        }

        if (Volatile.Read(ref shard.More) is { } more)
        {
            Volatile.Read(ref more[entry])?.CopyTo(result);
        }
    }

    /// <summary>The shards, to be inspected without the lock. Under the lock.</summary>
    public List<KeyShard> Snapshot() => _shards.Snapshot();

    private void MakeRoom(KeyShard shard, int keyBytes)
    {
        if (shard.Used >= Shard.MaxUsed && shard.Live > Shard.SplitAbove)
        {
            var depth = shard.Depth + 1;
            var low = Copy(depth, shard.Pattern, keyBytes, up: false, shard);
            var high = Copy(depth, shard.Pattern | (1u << shard.Depth), keyBytes, up: true, shard);
            _shards.Publish(low);
            _shards.Publish(high);
        }
        else
        {
            _shards.Publish(Copy(shard.Depth, shard.Pattern, keyBytes, up: null, shard));
        }
    }

    private void Shrink(KeyShard shard)
    {
        if (shard.Live <= Shard.JoinBelow / 2
            && _shards.Buddy(shard) is { } buddy && shard.Live + buddy.Live <= Shard.JoinBelow)
        {
            var pattern = Math.Min(shard.Pattern, buddy.Pattern);
            _shards.Publish(Copy(shard.Depth - 1, pattern, 0, up: null, shard, buddy));
        }
        else if (shard.Used - shard.Live > shard.Live + (2 * SpareEntries))
        {
            _shards.Publish(Copy(shard.Depth, shard.Pattern, 0, up: null, shard));
        }
    }

    /// <summary>Copies what is alive into a fresh shard, or only the half that goes up or stays when a shard is split.</summary>
    private static KeyShard Copy(int depth, uint pattern, int extraBytes, bool? up, params ReadOnlySpan<KeyShard> from)
    {
        var entries = 0;
        var bytes = 0;
        foreach (var source in from)
        {
            foreach (var (_, offset) in source.LiveEntries())
            {
                var key = source.KeyAt(offset);
                if (up is null || source.GoesUp(TopicHash.Of(key)) == up)
                {
                    entries++;
                    bytes += KeyShard.SizeOf(key.Length);
                }
            }
        }

        entries = Math.Min(Shard.MaxUsed, entries + (entries / 5) + SpareEntries);
        var copy = new KeyShard(depth, pattern, entries, bytes + (bytes / 5) + SpareBytes + extraBytes);
        foreach (var source in from)
        {
            foreach (var (entry, offset) in source.LiveEntries())
            {
                var key = source.KeyAt(offset);
                var hash = TopicHash.Of(key);
                if (up is null || source.GoesUp(hash) == up)
                {
                    var target = copy.Append(hash, key);
                    copy.One[target] = source.One[entry];
                    if (source.More?[entry] is { } more)
                    {
                        copy.MoreOf(target) = more;
                    }

                    copy.Live++;
                }
            }
        }

        return copy;
    }
}
