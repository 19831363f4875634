using Broker.Grains.Options;

namespace Broker.Grains.Sessions;

/// <summary>
/// "Commit or acknowledged, whichever is first" (docs/guarantees.md): the records of publishes whose deliveries all went to connected
/// subscribers that acknowledge fast are held back (<see cref="PublisherRecords"/>). Those that are acknowledged within the
/// grace are never written; this queue sends the rest to the store, and a subscriber that let the grace pass gets none
/// until it is fast again.
/// <para>
/// One timer for the silo, armed only while something waits. It knows publishers, not messages: in the steady state a
/// message costs it nothing, and a record is garbage as soon as it is acknowledged.
/// </para>
/// </summary>
public sealed class AckGraceQueue : IDisposable
{
    // Accuracy of the grace, in milliseconds.
    private const int TickMilliseconds = 10;

    private readonly PriorityQueue<PublisherRecords, long> _watched = new();
    private readonly Lock _gate = new();
    private readonly Timer _timer;
    private readonly long _grace;
    private bool _isArmed;

    public AckGraceQueue(StoreOptions options)
    {
        _grace = Grace(options);
        _timer = new Timer(static queue => ((AckGraceQueue)queue!).Tick(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>The grace in milliseconds; 0 switches it off.</summary>
    public static long Grace(StoreOptions options) => (long)options.AckGrace.TotalMilliseconds;

    /// <summary>Whether records may be held back at all.</summary>
    public bool IsEnabled => _grace > 0;

    /// <summary>When the grace of a record ends that is published now.</summary>
    internal long EndsAt => Environment.TickCount64 + _grace;

    /// <summary>A publisher has something held back until <paramref name="until"/>; it is not watched yet.</summary>
    internal void Watch(PublisherRecords publisher, long until)
    {
        lock (_gate)
        {
            _watched.Enqueue(publisher, until);
            Arm();
        }
    }

    /// <inheritdoc />
    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        var now = Environment.TickCount64;
        while (TakeDue(now) is { } publisher)
        {
            if (publisher.EndGrace(now) is { } again)
            {
                Watch(publisher, again);
            }
        }

        lock (_gate)
        {
            _isArmed = false;
            if (_watched.Count > 0)
            {
                Arm();
            }
        }
    }

    private void Arm()
    {
        if (!_isArmed)
        {
            _isArmed = true;
            _timer.Change(TickMilliseconds, Timeout.Infinite);
        }
    }

    private PublisherRecords? TakeDue(long now)
    {
        lock (_gate)
        {
            return _watched.TryPeek(out _, out var until) && until <= now ? _watched.Dequeue() : null;
        }
    }
}
