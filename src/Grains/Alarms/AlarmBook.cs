using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Options;

namespace Broker.Grains.Alarms;

/// <summary>
/// The alarms of the cluster as one silo knows them: a set of occurrences that only grows and in which cleared is stronger than raised, so
/// silos that tell each other what they have agree, in whichever order they hear it. Guarded by its owner.
/// </summary>
/// <remarks>
/// Two silos may raise the same alarm before they hear of each other: two occurrences, of which the earlier is shown, and which a clear
/// ends both.
/// </remarks>
internal sealed class AlarmBook(AlarmOptions options)
{
    private readonly Dictionary<string, AlarmState> _all = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _raised = new(StringComparer.Ordinal);
    private readonly SortedSet<(long ClearedAt, string Occurrence)> _history = [];
    private readonly Dictionary<string, long> _changedAt = new(StringComparer.Ordinal);

    /// <summary>Grows with every change.</summary>
    public long Version { get; private set; }

    /// <summary>Alarms that are raised.</summary>
    public int RaisedCount => _raised.Count;

    public bool IsRaised(string id) => _raised.ContainsKey(id);

    /// <summary>The raised ones, then as many as may be shown of those that were cleared, the latest first.</summary>
    public List<AlarmState> List() =>
    [
        .. _raised.Values.Select(occurrences => _all[occurrences.Min(StringComparer.Ordinal)!]).OrderByDescending(static a => a.RaisedAt),
        .. _history.Reverse().Take(options.MaxHistory).Select(entry => _all[entry.Occurrence]),
    ];

    /// <summary>Whether an occurrence is known and not cleared.</summary>
    public bool IsRaised(AlarmState state) => _all.GetValueOrDefault(state.Occurrence) is { ClearedAt: null };

    /// <summary>Every occurrence that is raised.</summary>
    public List<AlarmState> Raised() => [.. _raised.Values.SelectMany(static o => o).Select(o => _all[o])];

    /// <summary>The occurrences of a raised alarm.</summary>
    public List<AlarmState> Raised(string id) =>
        _raised.TryGetValue(id, out var occurrences) ? occurrences.ConvertAll(o => _all[o]) : [];

    /// <summary>What has changed after a version.</summary>
    public List<AlarmState> ChangedAfter(long version) =>
        version == Version ? [] : [.. _changedAt.Where(c => c.Value > version).OrderBy(static c => c.Value).Select(c => _all[c.Key])];

    /// <summary>Takes an occurrence, from here or from elsewhere.</summary>
    /// <param name="forgotten">Occurrences that there is no room for any more: their rows may go. May be the one that is given.</param>
    /// <returns>Whether it is news.</returns>
    public bool Put(AlarmState state, List<string> forgotten)
    {
        var known = _all.GetValueOrDefault(state.Occurrence);
        if (known is not null && !IsNews(state, known))
        {
            return false;
        }

        if (known is null && state.ClearedAt is { } clearedAt && _history.Count >= Capacity
            && (clearedAt, state.Occurrence).CompareTo(_history.Min) < 0)
        {
            // History has forgotten it already.
            forgotten.Add(state.Occurrence);
            return false;
        }

        _all[state.Occurrence] = state;
        _changedAt[state.Occurrence] = ++Version;
        if (state.ClearedAt is { } time)
        {
            Lower(state);
            if (known?.ClearedAt is { } other)
            {
                _history.Remove((other, state.Occurrence));
            }

            _history.Add((time, state.Occurrence));
            Shrink(forgotten);
        }
        else if (_raised.TryGetValue(state.Id, out var occurrences))
        {
            occurrences.Add(state.Occurrence);
        }
        else
        {
            _raised.Add(state.Id, [state.Occurrence]);
        }

        return true;
    }

    // All that are raised may be cleared before another silo hears of it: so many are kept whatever is shown.
    private int Capacity => Math.Max(options.MaxHistory, options.MaxRaised);

    /// <summary>Two silos may clear the same occurrence: the earlier time is right everywhere.</summary>
    private static bool IsNews(AlarmState state, AlarmState known) =>
        state.ClearedAt is { } time && (known.ClearedAt is not { } other || time < other);

    private void Shrink(List<string> forgotten)
    {
        while (_history.Count > Capacity)
        {
            var oldest = _history.Min.Occurrence;
            _history.Remove(_history.Min);
            _all.Remove(oldest);
            _changedAt.Remove(oldest);
            forgotten.Add(oldest);
        }
    }

    private void Lower(AlarmState state)
    {
        if (_raised.TryGetValue(state.Id, out var occurrences) && occurrences.Remove(state.Occurrence) && occurrences.Count == 0)
        {
            _raised.Remove(state.Id);
        }
    }
}
