using System.Text;
using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;

namespace Broker.Grains.Topics;

/// <summary>
/// This silo's side of interest: answers Topic grains, and tells those that have asked when interest in their filter
/// comes or goes. A filter that no Topic grain has asked about costs one look-up in an empty table, so a broker of one
/// silo pays nothing and activates nothing.
/// <para>
/// Versions are given under the lock that the subscribers are read under, so the higher one was read later; a
/// Topic grain can take answers and pushes in whatever order they arrive. What is told is only the change between none
/// and some: the second subscriber of a filter costs no call.
/// </para>
/// </summary>
public sealed class InterestWatch : IDisposable
{
    // What a missed notice costs: a filter's interest is late by this much, no more.
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    private readonly FilterIndex<Subscription> _index;
    private readonly IGrainFactory _grains;
    private readonly LiveSilos _silos;
    private readonly TimeProvider _time;
    private readonly TopicLog _log;
    private readonly Dictionary<string, Watched> _watched = new(StringComparer.Ordinal);
    private readonly MatchBuffer<Subscription> _buffer = new();
    private readonly Lock _gate = new();
    private readonly ITimer _sweep;
    private long _version;
    private long _sweptIndex;
    private int _count;
    private volatile bool _isDisposed;

    public InterestWatch(
        FilterIndex<Subscription> index, IGrainFactory grains, LiveSilos silos, TimeProvider time, TopicLog log)
    {
        _index = index;
        _grains = grains;
        _silos = silos;
        _time = time;
        _log = log;
        _sweep = time.CreateTimer(
            static w => ((InterestWatch)w!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Filters with a Topic grain that has asked here.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Interest in a filter now.</summary>
    public SiloInterest InterestIn(string filter)
    {
        lock (_gate)
        {
            return Read(filter);
        }
    }

    /// <summary>The same, and changes from now on are told.</summary>
    public SiloInterest Watch(string filter, Guid watcher)
    {
        lock (_gate)
        {
            if (!_watched.TryGetValue(filter, out var watched))
            {
                watched = new Watched();
                _watched.Add(filter, watched);
                Counted();
            }

            // After it is in the table: a change that this does not see is one that is noted.
            var interest = Read(filter);
            watched.Watcher = watcher;
            watched.Told = interest.Exists;
            return interest;
        }
    }

    /// <summary>Changes are not told any more, unless to another activation.</summary>
    public void Unwatch(string filter, Guid watcher)
    {
        lock (_gate)
        {
            if (_watched.TryGetValue(filter, out var watched) && watched.Watcher == watcher)
            {
                _watched.Remove(filter);
                Counted();
            }
        }
    }

    /// <summary>
    /// A subscription to a filter was added or removed. Completes when the filter's Topic grain knows; at once when there
    /// is none or nothing has changed for it. A SUBACK that waits for it is not sent before messages come.
    /// </summary>
    public Task NoteChange(string filter)
    {
        if (Count == 0)
        {
            return Task.CompletedTask;
        }

        lock (_gate)
        {
            if (!_watched.TryGetValue(filter, out var watched))
            {
                return Task.CompletedTask;
            }

            watched.IsDirty = true;
            return watched.Telling ??= Task.Run(() => TellAsync(filter, watched));
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _isDisposed = true;
        _sweep.Dispose();
    }

    private SiloInterest Read(string filter)
    {
        var connected = 0;
        var dormant = 0;
        foreach (var subscription in _index.SubscribersOf(Encoding.UTF8.GetBytes(filter), _buffer))
        {
            if (subscription.Session.IsConnected)
            {
                connected++;
            }
            else
            {
                dormant++;
            }
        }

        return new SiloInterest { Silo = _silos.Local, Version = ++_version, Connected = connected, Dormant = dormant };
    }

    private void Counted()
    {
        Interlocked.Exchange(ref _count, _watched.Count);
        if (_watched.Count == 1)
        {
            _sweep.Change(SweepPeriod, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task TellAsync(string filter, Watched watched)
    {
        var grain = _grains.GetGrain<ITopicGrain>(GrainKeys.Topic(filter));
        var pause = FirstRetry;
        while (TakeChange(filter, watched) is { } change)
        {
            try
            {
                var isWanted = await grain.InterestChanged(change.Interest, change.Watcher);
                Told(filter, watched, change, isWanted);
                pause = FirstRetry;
            }
            catch (Exception e)
            {
                // The grain is moving, or its silo is dying: it is told again, with what is true by then.
                _log.NotTold(e, filter);
                await Task.Delay(pause, _time);
                pause = pause * 2 < LastRetry ? pause * 2 : LastRetry;
                lock (_gate)
                {
                    watched.IsDirty = true;
                }
            }
        }
    }

    private (SiloInterest Interest, Guid Watcher)? TakeChange(string filter, Watched watched)
    {
        lock (_gate)
        {
            if (watched.IsDirty && !_isDisposed && _watched.GetValueOrDefault(filter) == watched)
            {
                watched.IsDirty = false;
                var interest = Read(filter);
                if (interest.Exists != watched.Told)
                {
                    return (interest, watched.Watcher);
                }
            }

            watched.Telling = null;
            return null;
        }
    }

    private void Told(string filter, Watched watched, (SiloInterest Interest, Guid Watcher) change, bool isWanted)
    {
        lock (_gate)
        {
            if (watched.Watcher != change.Watcher)
            {
                // Another activation has asked meanwhile and knows at least as much.
                return;
            }

            watched.Told = change.Interest.Exists;
            watched.IsDirty = true;
            if (!isWanted && _watched.GetValueOrDefault(filter) == watched)
            {
                _watched.Remove(filter);
                Counted();
            }
        }
    }

    /// <summary>Finds changes that nobody noted, while filters are watched and the index has changed.</summary>
    private void Sweep()
    {
        List<string> changed = [];
        lock (_gate)
        {
            var index = _index.Version;
            if (index != _sweptIndex)
            {
                _sweptIndex = index;
                changed.AddRange(_watched.Where(w => Read(w.Key).Exists != w.Value.Told).Select(static w => w.Key));
            }

            if (_watched.Count > 0 && !_isDisposed)
            {
                _sweep.Change(SweepPeriod, Timeout.InfiniteTimeSpan);
            }
        }

        foreach (var filter in changed)
        {
            _ = NoteChange(filter);
        }
    }

    private sealed class Watched
    {
        public Guid Watcher { get; set; }

        /// <summary>Whether the Topic grain believes that there is interest here.</summary>
        public bool Told { get; set; }

        public bool IsDirty { get; set; }

        public Task? Telling { get; set; }
    }
}
