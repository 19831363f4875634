using System.Diagnostics.Metrics;

namespace Broker.Grains.Storage;

/// <summary>Instruments of a store's writer, and the same figures as plain numbers.</summary>
public sealed class StoreMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Broker.Store";

    // From a fast disk to the ten seconds after which durable work is refused.
    private static readonly InstrumentAdvice<double> CommitBounds = new()
    {
        HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private static readonly InstrumentAdvice<int> BatchBounds = new() { HistogramBucketBoundaries = [1, 4, 16, 64, 256, 1024, 4096, 16384] };

    private readonly Meter _meter;
    private readonly Histogram<double> _commitDuration;
    private readonly Histogram<int> _batchSize;
    private long _commits;
    private long _commitTicks;
    private long _rowsWritten;
    private long _failedCommits;
    private long _refusedWrites;
    private long _pendingWrites;
    private long _pendingBytes;

    public StoreMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _commitDuration = _meter.CreateHistogram(
            "broker.store.commit.duration", "s", "From the first statement of a transaction to its commit being durable.", advice: CommitBounds);
        _batchSize = _meter.CreateHistogram("broker.store.batch.size", "{write}", "Writes in one transaction.", advice: BatchBounds);
        _meter.CreateObservableCounter("broker.store.failures", () => FailedCommits, "{commit}", "Transactions that failed.");
        _meter.CreateObservableCounter("broker.store.refused", () => RefusedWrites, "{write}", "Writes reported to their owner as failed.");
        _meter.CreateObservableGauge(
            "broker.store.pending.writes", () => PendingWrites, "{write}", "Posted and not yet committed.");
        _meter.CreateObservableGauge(
            "broker.store.pending.bytes", () => PendingBytes, "By", "Size of what is posted and not yet committed.");
    }

    /// <summary>Transactions committed.</summary>
    public long Commits => Volatile.Read(ref _commits);

    /// <summary>Time spent in them, from the first statement of each to its commit being durable.</summary>
    public TimeSpan CommitTime => new(Volatile.Read(ref _commitTicks));

    /// <summary>Rows inserted, replaced, changed or deleted by committed transactions.</summary>
    public long RowsWritten => Volatile.Read(ref _rowsWritten);

    /// <summary>Transactions that failed.</summary>
    public long FailedCommits => Volatile.Read(ref _failedCommits);

    /// <summary>Writes completed with an error.</summary>
    public long RefusedWrites => Volatile.Read(ref _refusedWrites);

    /// <summary>Posted and not yet committed.</summary>
    public long PendingWrites => Volatile.Read(ref _pendingWrites);

    /// <summary>Size of what is posted and not yet committed, in bytes.</summary>
    public long PendingBytes => Volatile.Read(ref _pendingBytes);

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    internal void Committed(int writes, int rows, TimeSpan duration)
    {
        Volatile.Write(ref _commitTicks, _commitTicks + duration.Ticks);
        Volatile.Write(ref _commits, _commits + 1);
        Volatile.Write(ref _rowsWritten, _rowsWritten + rows);
        _commitDuration.Record(duration.TotalSeconds);
        _batchSize.Record(writes);
    }

    internal void Failed() => Volatile.Write(ref _failedCommits, _failedCommits + 1);

    internal void Refused() => Interlocked.Increment(ref _refusedWrites);

    internal void Pending(long writes, long bytes)
    {
        Volatile.Write(ref _pendingWrites, writes);
        Volatile.Write(ref _pendingBytes, bytes);
    }
}
