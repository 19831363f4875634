namespace Broker.Grains.Routing;

/// <summary>
/// All filters and their subscribers, found by the hash of the whole filter. Writers hold the lock of the index;
/// <see cref="FilterShard" /> says how readers do without.
/// </summary>
internal sealed class FilterTable
{
    // Room that a copy leaves: a fifth more than it holds, so that copying costs a few moves per added key.
    private const int SpareBytes = 256;

    // So many more dead places than live ones keep their keys; more are worth a copy.
    private const int MostDead = 128;

    private readonly FilterDirectory _shards = new(new FilterShard(0, 0, SpareBytes));

    /// <summary>Number of filters.</summary>
    public int Count { get; private set; }

    /// <summary>The shards as they are now, for all the looks of one match. Without the lock.</summary>
    public FilterShard[] Current => _shards.Current;

    /// <summary>Under the lock. False when this subscriber is there already.</summary>
    public bool Add(ReadOnlySpan<byte> filter, ulong hash, object subscriber)
    {
        var shard = _shards.Find(hash);
        var places = shard.Find(hash, filter);
        var one = shard.Value(places.One);
        if (ReferenceEquals(one, subscriber))
        {
            return false;
        }

        // Nothing moves from the place of one to the set or back, so readers see everyone who stays exactly once.
        if (shard.Value(places.Set) is ReferenceSet set)
        {
            return set.Add(subscriber);
        }

        if (one is null)
        {
            Put(shard, places.One, filter, hash, 0, subscriber);
            Count++;
            return true;
        }

        set = new ReferenceSet();
        set.Add(subscriber);
        Put(shard, places.Set, filter, hash, FilterSlot.IsSet, set);
        return true;
    }

    /// <summary>Under the lock. False when this subscriber is not there.</summary>
    public bool Remove(ReadOnlySpan<byte> filter, ulong hash, object subscriber)
    {
        var shard = _shards.Find(hash);
        var places = shard.Find(hash, filter);
        var one = shard.Value(places.One);
        var set = (ReferenceSet?)shard.Value(places.Set);
        if (ReferenceEquals(one, subscriber))
        {
            shard.Clear(places.One);
            Count -= set is null ? 1 : 0;
        }
        else if (set is null || !set.Remove(subscriber))
        {
            return false;
        }
        else if (set.Count == 0)
        {
            shard.Clear(places.Set);
            Count -= one is null ? 1 : 0;
        }

        Shrink(shard);
        return true;
    }

    /// <summary>Appends the subscribers of exactly this filter to the result. Without the lock.</summary>
    public void CopyTo(ReadOnlySpan<byte> filter, ulong hash, MatchScratch result)
    {
        var shard = _shards.Find(hash);
        var places = shard.Find(hash, filter);
        if (shard.Value(places.One) is { } one)
        {
            result.Append(one);
        }

        if (shard.Value(places.Set) is ReferenceSet set)
        {
            result.AppendPresent(set.Read());
        }
    }

    /// <summary>The shards, to be inspected without the lock. Under the lock.</summary>
    public List<FilterShard> Snapshot() => _shards.Snapshot();

    private void Put(FilterShard shard, int place, ReadOnlySpan<byte> filter, ulong hash, ulong kind, object value)
    {
        if (place >= 0)
        {
            shard.Put(place, value);
            return;
        }

        while (!shard.HasRoom(filter.Length))
        {
            MakeRoom(shard, FilterShard.SizeOf(filter.Length));
            shard = _shards.Find(hash);
        }

        shard.Append(hash, filter, kind, value);
    }

    private void MakeRoom(FilterShard shard, int keyBytes)
    {
        if (shard.Used >= FilterShard.MaxUsed && shard.Live > FilterShard.SplitAbove)
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

    private void Shrink(FilterShard shard)
    {
        if (shard.Live <= FilterShard.JoinBelow / 2
            && _shards.Buddy(shard) is { } buddy && shard.Live + buddy.Live <= FilterShard.JoinBelow)
        {
            var pattern = Math.Min(shard.Pattern, buddy.Pattern);
            _shards.Publish(Copy(shard.Depth - 1, pattern, 0, up: null, shard, buddy));
        }
        else if (shard.Used - shard.Live > shard.Live + MostDead)
        {
            _shards.Publish(Copy(shard.Depth, shard.Pattern, 0, up: null, shard));
        }
    }

    /// <summary>Copies what is alive into a fresh shard, or only the half that goes up or stays when a shard is split.</summary>
    private static FilterShard Copy(int depth, uint pattern, int extraBytes, bool? up, params ReadOnlySpan<FilterShard> from)
    {
        var bytes = 0;
        foreach (var source in from)
        {
            foreach (ref readonly var slot in source.Slots)
            {
                bytes += IsWanted(source, slot, up) ? FilterShard.SizeOf(source.KeyOf(slot.Word).Length) : 0;
            }
        }

        var copy = new FilterShard(depth, pattern, bytes + (bytes / 5) + SpareBytes + extraBytes);
        foreach (var source in from)
        {
            foreach (ref readonly var slot in source.Slots)
            {
                if (IsWanted(source, slot, up))
                {
                    copy.Append(slot.Word, source.KeyOf(slot.Word), slot.Word & FilterSlot.IsSet, slot.Value!);
                }
            }
        }

        return copy;
    }

    private static bool IsWanted(FilterShard source, in FilterSlot slot, bool? up) =>
        slot.Value is not null && (up is null || source.GoesUp(slot.Word) == up);
}
