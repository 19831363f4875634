namespace Broker.Grains.Routing;

/// <summary>
/// Where the wildcards of a filter stand: all filters with the same number of levels, '+' in the same places, and '#' at the
/// end or not. At most one filter of a shape matches a topic.
/// </summary>
internal sealed class FilterShape
{
    private readonly int[] _pluses;
    private readonly int _levels;
    private readonly bool _below;
    private readonly bool _beginsWild;
    private readonly ulong _wildcards;

    /// <param name="filter">Any filter of this shape.</param>
    public FilterShape(ReadOnlySpan<byte> filter)
    {
        var pluses = new List<int>();
        foreach (var level in new LevelReader(filter))
        {
            if (level is [(byte)'#'])
            {
                _below = true;
                _wildcards += TopicHash.OfLevel(_levels, level);
                break;
            }

            if (level is [(byte)'+'])
            {
                pluses.Add(_levels);
                _wildcards += TopicHash.OfLevel(_levels, level);
            }

            _levels++;
        }

        _pluses = [.. pluses];
        _beginsWild = filter is [(byte)'+' or (byte)'#', ..];
    }

    /// <summary>Number of filters of this shape. Writers only.</summary>
    public int Filters { get; set; }

    /// <summary>Whether a filter of this shape can match a topic.</summary>
    /// <param name="levels">Number of levels of the topic.</param>
    /// <param name="isReserved">Whether the topic begins with <c>$</c>.</param>
    public bool Fits(int levels, bool isReserved)
    {
        // [MQTT-4.7.2-1]: a filter that begins with a wildcard does not match a topic that begins with '$'.
        if (isReserved && _beginsWild)
        {
            return false;
        }

        // [MQTT-4.7.1-1]: '#' matches the level above it too.
        return _below ? _levels <= levels : _levels == levels;
    }

    /// <summary>Hash of the filter of this shape that matches the topic.</summary>
    public ulong HashFor(TopicLevels topic)
    {
        var hash = topic.Sum(_levels) + _wildcards;
        foreach (var level in _pluses)
        {
            hash -= topic.Hash(level);
        }

        return hash;
    }

    /// <summary>Whether this is the filter of this shape that matches the topic.</summary>
    /// <param name="filter">Any filter, of this shape or not.</param>
    public bool Matches(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> topic, TopicLevels levels)
    {
        // Before each '+' both have the same text; behind it the topic goes on at the end of its level.
        var from = 0;
        foreach (var level in _pluses)
        {
            var length = levels.Start(level) - from;
            if (filter.Length <= length || filter[length] != '+' || !filter[..length].SequenceEqual(topic.Slice(from, length)))
            {
                return false;
            }

            filter = filter[(length + 1)..];
            from = levels.End(level);
        }

        if (!_below)
        {
            return filter.SequenceEqual(topic[from..]);
        }

        if (_levels == 0)
        {
            return filter is [(byte)'#'];
        }

        var rest = topic[from..levels.End(_levels - 1)];
        return filter.Length == rest.Length + 2 && filter[^2] == '/' && filter[^1] == '#' && filter.StartsWith(rest);
    }
}
