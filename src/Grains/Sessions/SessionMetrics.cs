using System.Diagnostics.Metrics;

namespace Broker.Grains.Sessions;

/// <summary>Numbers of the sessions of this silo.</summary>
public sealed class SessionMetrics : IDisposable
{
    // Milliseconds: the instruments of one reading share one look at all sessions, which is 3 ms for 100,000 of them.
    private const long Fresh = 500;

    private readonly Meter _meter = new("Broker.Grains.Sessions");
    private readonly Lock _gate = new();
    private SessionFigures? _figures;
    private long _readAt;
    private long _delayed;
    private int _highQueues;

    public SessionMetrics()
    {
        _meter.CreateObservableUpDownCounter(
            "broker.sessions.queue_high",
            () => HighQueues,
            description: "Sessions whose queue passed the high watermark and has not yet fallen below the low one.");
        _meter.CreateObservableCounter(
            "broker.sessions.takeovers_delayed",
            () => Interlocked.Read(ref _delayed),
            description: "Answers to CONNECTs that have to wait because their client id is fought for.");
    }

    /// <summary>Sessions between the watermarks that came from above.</summary>
    public int HighQueues => Volatile.Read(ref _highQueues);

    /// <summary>Looks at the sessions of <paramref name="table"/> whenever the metrics are read: once for all instruments.</summary>
    public void Observe(SessionTable table)
    {
        SessionFigures Read() => FiguresOf(table);
        _meter.CreateObservableUpDownCounter(
            "broker.sessions",
            () => (Measurement<long>[])[State(Read().Online, "online"), State(Read().Dormant, "dormant"), State(Read().Groups, "group")],
            description: "Sessions: with a connected client, with a client that is away, and those of groups of shared subscriptions.");
        _meter.CreateObservableUpDownCounter(
            "broker.sessions.queued", () => Read().Queued, "{message}", "Messages that wait in sessions, in memory or in the store.");
        _meter.CreateObservableUpDownCounter(
            "broker.sessions.queued_bytes", () => Read().QueuedBytes, "By", "Their size.");
        _meter.CreateObservableUpDownCounter(
            "broker.sessions.inflight", () => Read().Inflight, "{message}", "Messages that were sent and are not yet acknowledged.");
    }

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    internal void DelayedTakeover() => Interlocked.Increment(ref _delayed);

    internal void QueueRose() => Interlocked.Increment(ref _highQueues);

    internal void QueueFell() => Interlocked.Decrement(ref _highQueues);

    private static Measurement<long> State(long count, string state) => new(count, new KeyValuePair<string, object?>("state", state));

    private SessionFigures FiguresOf(SessionTable table)
    {
        lock (_gate)
        {
            if (_figures is not { } known || Environment.TickCount64 - _readAt > Fresh)
            {
                _figures = known = table.Figures();
                _readAt = Environment.TickCount64;
            }

            return known;
        }
    }
}
