namespace Broker.Grains.Routing;

/// <summary>
/// Results of topics that come again, bounded in count and bytes, shared by all readers without a lock. A topic is kept from
/// its second match on, so that topics that come once cost no allocation. Entries never change; each is checked
/// against <see cref="ChangeStripes" /> before it is used.
/// </summary>
internal sealed class MatchCache
{
    private const int Ways = 4;

    // Larger results gain little from the cache: copying them costs less than delivering them by far.
    private const int MaxResults = 8192;

    private readonly ChangeStripes _stripes;
    private readonly long _maxBytes;
    private readonly uint[] _tags;
    private readonly CachedMatch?[] _entries;
    private readonly ushort[] _seen;
    private long _bytes;
    private int _hand;

    /// <param name="entries">Most topics kept; rounded up to a power of two, at least 4.</param>
    /// <param name="maxBytes">Most heap bytes of the entries, about; the table itself takes 16 bytes an entry more.</param>
    public MatchCache(ChangeStripes stripes, int entries, long maxBytes)
    {
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(entries, Ways));
        _stripes = stripes;
        _maxBytes = maxBytes;
        _tags = new uint[size];
        _entries = new CachedMatch?[size];
        _seen = new ushort[size * 2];
    }

    /// <summary>Heap bytes of the entries, about.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The result for a topic, null when it is not known or no longer right.</summary>
    public CachedMatch? Find(ReadOnlySpan<byte> topic, ulong hash)
    {
        var first = FirstWay(hash);
        var tags = _tags.AsSpan(first, Ways);
        for (var way = 0; way < Ways; way++)
        {
            if (tags[way] == (uint)hash
                && Volatile.Read(ref _entries[first + way]) is { } entry
                && entry.Hash == hash && topic.SequenceEqual(entry.Topic))
            {
                return _stripes.Holds(entry.Stamp) ? entry : null;
            }
        }

        return null;
    }

    /// <summary>Offers a fresh result; it is kept if the topic was seen not long ago.</summary>
    public void Offer(ReadOnlySpan<byte> topic, ulong hash, in MatchStamp stamp, ReadOnlySpan<object?> results)
    {
        ref var seen = ref _seen[(int)(hash >> 20) & (_seen.Length - 1)];
        var mark = (ushort)((hash >> 48) | 1);
        if (seen != mark)
        {
            seen = mark;
            return;
        }

        seen = 0;
        if (results.Length > MaxResults || !_stripes.Holds(stamp))
        {
            return;
        }

        var size = CachedMatch.SizeOf(topic.Length, results.Length);
        if (Bytes + size > _maxBytes)
        {
            Evict(Ways);
        }

        if (Bytes + size <= _maxBytes)
        {
            var place = PlaceFor(topic, hash);
            _tags[place] = (uint)hash;
            Put(place, new CachedMatch(hash, topic.ToArray(), results.ToArray(), stamp));
        }
    }

    /// <summary>Drops some results that no longer hold, so that they do not keep removed subscribers alive for long.</summary>
    public void Sweep()
    {
        const int Steps = 2;
        for (var i = 0; i < Steps; i++)
        {
            var place = Interlocked.Increment(ref _hand) & (_entries.Length - 1);
            if (_entries[place] is { } entry && !_stripes.Holds(entry.Stamp))
            {
                Put(place, null);
            }
        }
    }

    private int FirstWay(ulong hash) => (int)(hash >> 32) & (_entries.Length - 1) & ~(Ways - 1);

    private int PlaceFor(ReadOnlySpan<byte> topic, ulong hash)
    {
        var first = FirstWay(hash);
        var free = -1;
        for (var place = first; place < first + Ways; place++)
        {
            var entry = _entries[place];
            if (entry is not null && entry.Hash == hash && topic.SequenceEqual(entry.Topic))
            {
                return place;
            }

            if (entry is null || !_stripes.Holds(entry.Stamp))
            {
                free = place;
            }
        }

        return free >= 0 ? free : first + (Interlocked.Increment(ref _hand) & (Ways - 1));
    }

    private void Evict(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Put(Interlocked.Increment(ref _hand) & (_entries.Length - 1), null);
        }
    }

    private void Put(int place, CachedMatch? entry)
    {
        var before = Interlocked.Exchange(ref _entries[place], entry);
        Interlocked.Add(ref _bytes, (entry?.Bytes ?? 0) - (before?.Bytes ?? 0));
    }
}
