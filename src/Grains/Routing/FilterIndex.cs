using System.Text;

namespace Broker.Grains.Routing;

/// <summary>The silo's index from topic filter to subscribers.</summary>
/// <typeparam name="T">The subscriber entry; told apart by reference.</typeparam>
public sealed class FilterIndex<T>
    where T : class
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<T>> _filters = [];

    /// <summary>Grows with every change.</summary>
    public long Version { get; private set; }

    /// <summary>Number of distinct filters.</summary>
    public int FilterCount => _filters.Count;

    /// <summary>Number of (filter, subscriber) pairs.</summary>
    public int SubscriberCount { get; private set; }

    /// <summary>Adds a subscriber to a validated filter; false when this reference is already there.</summary>
    public bool Add(ReadOnlySpan<byte> filter, T subscriber)
    {
        lock (_lock)
        {
            var key = Encoding.UTF8.GetString(filter);
            if (!_filters.TryGetValue(key, out var list))
            {
                _filters[key] = list = [];
            }

            if (list.Any(x => ReferenceEquals(x, subscriber)))
            {
                return false;
            }

            list.Add(subscriber);
            SubscriberCount++;
            Version++;
            return true;
        }
    }

    /// <summary>Removes a subscriber from a filter; false when this reference is not there.</summary>
    public bool Remove(ReadOnlySpan<byte> filter, T subscriber)
    {
        lock (_lock)
        {
            var key = Encoding.UTF8.GetString(filter);
            if (!_filters.TryGetValue(key, out var list))
            {
                return false;
            }

            var at = list.FindIndex(x => ReferenceEquals(x, subscriber));
            if (at < 0)
            {
                return false;
            }

            list.RemoveAt(at);
            if (list.Count == 0)
            {
                _filters.Remove(key);
            }

            SubscriberCount--;
            Version++;
            return true;
        }
    }

    /// <summary>All subscribers of all filters that match; valid until the next use of the same buffer.</summary>
    public ReadOnlySpan<T> Match(ReadOnlySpan<byte> topic, MatchBuffer<T> buffer)
    {
        lock (_lock)
        {
            buffer.Items.Clear();
            var levels = Encoding.UTF8.GetString(topic).Split('/');
            foreach (var (filter, list) in _filters)
            {
                if (Matches(filter.Split('/'), levels))
                {
                    buffer.Items.AddRange(list);
                }
            }

            return buffer.Results = [.. buffer.Items];
        }
    }

    /// <summary>The subscribers of exactly this filter; valid until the next use of the same buffer.</summary>
    public ReadOnlySpan<T> SubscribersOf(ReadOnlySpan<byte> filter, MatchBuffer<T> buffer)
    {
        lock (_lock)
        {
            return _filters.TryGetValue(Encoding.UTF8.GetString(filter), out var list)
                ? buffer.Results = [.. list]
                : [];
        }
    }

    /// <summary>All filters, for inspection.</summary>
    public IEnumerable<FilterInfo> Filters()
    {
        lock (_lock)
        {
            return _filters.Select(x => new FilterInfo(Encoding.UTF8.GetBytes(x.Key), x.Value.Count)).ToArray();
        }
    }

    private static bool Matches(string[] filter, string[] topic)
    {
        if (topic[0].StartsWith('$') && (filter[0] is "+" or "#"))
        {
            return false;
        }

        for (var i = 0; i < filter.Length; i++)
        {
            if (filter[i] == "#")
            {
                return true;
            }

            if (i >= topic.Length || (filter[i] != "+" && filter[i] != topic[i]))
            {
                return false;
            }
        }

        return filter.Length == topic.Length;
    }
}
