using Broker.Grains.Options;

namespace Broker.Grains.Sessions;

/// <summary>
/// "Commit or acknowledged, whichever is first" (DESIGN): holds back the records of publishes whose deliveries all went to
/// connected subscribers that acknowledge fast. Those that are acknowledged within the grace are never written; the rest
/// go to the store, and a subscriber that let the grace pass gets none until it is fast again.
/// <para>
/// One timer for the silo, armed only while something waits. Records of one publisher are committed in the order of
/// publishing: a record that must be written at once takes the earlier ones of its publisher with it
/// (<see cref="PublisherRecords"/>).
/// </para>
/// </summary>
public sealed class AckGraceQueue : IDisposable
{
    // Accuracy of the grace, in milliseconds: a tick looks at the head of the queue only.
    private const int TickMilliseconds = 10;

    private readonly Queue<PublishRecord> _waiting = new();
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

    public void Add(PublishRecord record)
    {
        record.GraceUntil = Environment.TickCount64 + _grace;
        lock (_gate)
        {
            _waiting.Enqueue(record);
            if (!_isArmed)
            {
                _isArmed = true;
                _timer.Change(TickMilliseconds, Timeout.Infinite);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        while (TakeDue() is { } record)
        {
            record.EndGrace();
        }

        lock (_gate)
        {
            _isArmed = _waiting.Count > 0;
            if (_isArmed)
            {
                _timer.Change(TickMilliseconds, Timeout.Infinite);
            }
        }
    }

    private PublishRecord? TakeDue()
    {
        var now = Environment.TickCount64;
        lock (_gate)
        {
            while (_waiting.TryPeek(out var record) && (record.IsDone || record.GraceUntil <= now))
            {
                _waiting.Dequeue();
                if (!record.IsDone)
                {
                    return record;
                }
            }

            return null;
        }
    }
}
