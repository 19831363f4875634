namespace Broker.Grains.Routing;

/// <summary>
/// The silo's index from topic filter to subscribers. Any number of readers at once, without a lock and without
/// waiting; writers take one short lock. What was added before a match started and is not removed meanwhile is found.
/// </summary>
/// <remarks>
/// All filters are in one hash table. A match looks up one filter of each shape that filters have, which is few: where the
/// wildcards stand is the habit of an application, not of its devices. Matches of topics that come again are cached. Readers
/// need no lock because nothing they can see is ever given another meaning: it is replaced as a whole, and the garbage
/// collector keeps the old one while a reader holds it.
/// </remarks>
/// <typeparam name="T">The subscriber entry; told apart by reference.</typeparam>
public sealed class FilterIndex<T>
    where T : class
{
    /// <summary>Default for the number of cached topics: about 5 MB with 15 subscribers each.</summary>
    public const int DefaultCachedTopics = 16 * 1024;

    /// <summary>Default for the memory of cached results, in bytes.</summary>
    public const long DefaultCacheBytes = 16 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly FilterTable _table = new();
    private readonly FilterShapes _shapes = new();
    private readonly ChangeStripes _stripes = new();
    private readonly MatchCache? _cache;
    private long _version;
    private int _subscribers;
    private int _reserved;
    private int _mostFilters;
    private int _mostSubscribers;

    /// <param name="cachedTopics">Most topics whose result is cached; 0 for no cache.</param>
    /// <param name="cacheBytes">Most heap bytes of cached results, about.</param>
    public FilterIndex(int cachedTopics = DefaultCachedTopics, long cacheBytes = DefaultCacheBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cachedTopics);
        ArgumentOutOfRangeException.ThrowIfNegative(cacheBytes);
        _cache = cachedTopics == 0 ? null : new MatchCache(_stripes, cachedTopics, cacheBytes);
    }

    /// <summary>Grows with every change, after the change can be seen.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Number of distinct filters.</summary>
    public int FilterCount => _table.Count;

    /// <summary>Number of (filter, subscriber) pairs.</summary>
    public int SubscriberCount => Volatile.Read(ref _subscribers);

    /// <summary>Most filters at a time.</summary>
    public int MostFilters => Volatile.Read(ref _mostFilters);

    /// <summary>Most (filter, subscriber) pairs at a time.</summary>
    public int MostSubscribers => Volatile.Read(ref _mostSubscribers);

    /// <summary>Whether any filter begins with <c>$</c>: without one, what the broker says under <c>$SYS</c> is for nobody.</summary>
    public bool HasReserved => Volatile.Read(ref _reserved) > 0;

    /// <summary>Adds a subscriber to a filter.</summary>
    /// <param name="filter">UTF-8, already validated, at most 65,535 bytes.</param>
    /// <returns>False when this reference is already there.</returns>
    public bool Add(ReadOnlySpan<byte> filter, T subscriber)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        CheckLength(filter);
        lock (_lock)
        {
            var before = _table.Count;
            var added = _table.Add(filter, TopicHash.OfFilter(filter), subscriber);
            if (_table.Count > before)
            {
                _shapes.Add(filter);
            }

            if (added)
            {
                Changed(filter, 1);
            }

            return added;
        }
    }

    /// <summary>Removes a subscriber from a filter; what only this filter needed is freed.</summary>
    /// <returns>False when this reference is not there.</returns>
    public bool Remove(ReadOnlySpan<byte> filter, T subscriber)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        lock (_lock)
        {
            var before = _table.Count;
            var removed = _table.Remove(filter, TopicHash.OfFilter(filter), subscriber);
            if (_table.Count < before)
            {
                _shapes.Remove(filter);
            }

            if (removed)
            {
                Changed(filter, -1);
                _cache?.Sweep();
            }

            return removed;
        }
    }

    /// <summary>
    /// All subscribers of all filters that match a topic name, and nobody else [MQTT-3.3.2-3]; a subscriber is in it once per filter
    /// that matches. Bytes are compared, nothing is normalized or replaced [MQTT-4.7.3-4].
    /// </summary>
    /// <returns>Valid until the next use of the same buffer.</returns>
    public ReadOnlySpan<T> Match(ReadOnlySpan<byte> topic, MatchBuffer<T> buffer)
    {
        var scratch = buffer.Scratch;
        if (_cache is null)
        {
            return Search(topic, scratch);
        }

        var hash = TopicHash.Of(topic);
        if (_cache.Find(topic, hash) is { } known)
        {
            if (scratch.IsLarge)
            {
                scratch.Relax();
            }

            return MatchScratch.As<T>(known.Results, known.Count);
        }

        var stamp = _stripes.Take(LevelReader.First(topic));
        var found = Search(topic, scratch);
        _cache.Offer(topic, hash, stamp, scratch.Items);
        return found;
    }

    /// <summary>The subscribers of exactly this filter.</summary>
    /// <returns>Valid until the next use of the same buffer.</returns>
    public ReadOnlySpan<T> SubscribersOf(ReadOnlySpan<byte> filter, MatchBuffer<T> buffer)
    {
        var scratch = buffer.Scratch;
        scratch.Begin();
        _table.CopyTo(filter, TopicHash.OfFilter(filter), scratch);
        scratch.End();
        return scratch.Result<T>();
    }

    /// <summary>
    /// All filters in no order, for inspection. Filters that come or go while it runs may or may not be in it; the
    /// lock is held only for its start, and never while the caller has control.
    /// </summary>
    public IEnumerable<FilterInfo> Filters()
    {
        List<FilterShard> shards;
        lock (_lock)
        {
            shards = _table.Snapshot();
        }

        return FilterInspection.Read(shards);
    }

    /// <summary>What is kept, for tests of reclamation.</summary>
    internal (int Shapes, int Shards) Footprint()
    {
        lock (_lock)
        {
            return (_shapes.Count, _table.Snapshot().Count);
        }
    }

    private static void CheckLength(ReadOnlySpan<byte> filter) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.Length, ushort.MaxValue, nameof(filter));

    private ReadOnlySpan<T> Search(ReadOnlySpan<byte> topic, MatchScratch scratch)
    {
        scratch.Begin();
        FilterSearch.Run(_table, _shapes, topic, scratch);
        scratch.End();
        return scratch.Result<T>();
    }

    private void Changed(ReadOnlySpan<byte> filter, int subscribers)
    {
        _stripes.Count(LevelReader.First(filter));
        Volatile.Write(ref _subscribers, _subscribers + subscribers);
        _reserved += filter is [(byte)'$', ..] ? subscribers : 0;
        _mostFilters = Math.Max(_mostFilters, FilterCount);
        _mostSubscribers = Math.Max(_mostSubscribers, _subscribers);
        Volatile.Write(ref _version, _version + 1);
    }
}
