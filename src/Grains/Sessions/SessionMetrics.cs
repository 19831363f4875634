using System.Diagnostics.Metrics;

namespace Broker.Grains.Sessions;

/// <summary>Numbers of the sessions of this silo.</summary>
public sealed class SessionMetrics : IDisposable
{
    private readonly Meter _meter = new("Broker.Grains.Sessions");
    private readonly Counter<long> _delayed;
    private int _highQueues;

    public SessionMetrics()
    {
        _meter.CreateObservableUpDownCounter(
            "broker.sessions.queue_high",
            () => HighQueues,
            description: "Sessions whose queue passed the high watermark and has not yet fallen below the low one.");
        _delayed = _meter.CreateCounter<long>(
            "broker.sessions.takeovers_delayed", description: "Answers to CONNECTs that have to wait because their client id is fought for.");
    }

    /// <summary>Sessions between the watermarks that came from above.</summary>
    public int HighQueues => Volatile.Read(ref _highQueues);

    /// <summary>Counts the sessions of <paramref name="table"/> whenever the metrics are read.</summary>
    public void Observe(SessionTable table) => _meter.CreateObservableUpDownCounter(
        "broker.sessions", () => table.Count, description: "Sessions: connected ones, and durable ones whose client is away.");

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    internal void DelayedTakeover() => _delayed.Add(1);

    internal void QueueRose() => Interlocked.Increment(ref _highQueues);

    internal void QueueFell() => Interlocked.Decrement(ref _highQueues);
}
