using System.Diagnostics.Metrics;

namespace Broker.Grains.Edges;

/// <summary>Instruments of all edges of one kind, and the same figures as plain numbers.</summary>
public sealed class EdgeMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Broker.Edges";

    private static readonly InstrumentAdvice<int> BatchBounds = new() { HistogramBucketBoundaries = [1, 4, 16, 64, 256, 1024, 4096] };

    private readonly Meter _meter;
    private readonly Histogram<int> _batchSize;
    private readonly KeyValuePair<string, object?> _kind;
    private long _batches;
    private long _items;
    private long _depth;
    private long _bytes;
    private long _failed;
    private long _undeliverable;
    private int _largest;

    /// <param name="kind">Value of the tag <c>edge</c>, for example <c>inbox</c>.</param>
    public EdgeMetrics(string kind, IMeterFactory? factory = null)
    {
        _kind = new KeyValuePair<string, object?>("edge", kind);
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _batchSize = _meter.CreateHistogram("broker.edge.batch.size", "{item}", "Items in one call.", advice: BatchBounds);
        _meter.CreateObservableCounter(
            "broker.edge.failures", () => new Measurement<long>(Failures, _kind), "{call}", "Calls that failed and were made again.");
        _meter.CreateObservableCounter(
            "broker.edge.undeliverable",
            () => new Measurement<long>(Volatile.Read(ref _undeliverable), _kind),
            "{item}",
            "Items given back because the target is gone.");
        _meter.CreateObservableGauge(
            "broker.edge.depth", () => new Measurement<long>(Depth, _kind), "{item}", "Items that wait or are in flight.");
        _meter.CreateObservableGauge(
            "broker.edge.bytes", () => new Measurement<long>(Bytes, _kind), "By", "Size of what waits or is in flight.");
    }

    /// <summary>Calls that succeeded.</summary>
    public long Batches => Volatile.Read(ref _batches);

    /// <summary>Items that those calls carried.</summary>
    public long Items => Volatile.Read(ref _items);

    /// <summary>Items of the largest call.</summary>
    public int LargestBatch => Volatile.Read(ref _largest);

    /// <summary>Calls that failed.</summary>
    public long Failures => Volatile.Read(ref _failed);

    /// <summary>Items that wait or are in flight, on all edges of the kind.</summary>
    public long Depth => Volatile.Read(ref _depth);

    /// <summary>Their size in bytes.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    internal void Changed(int items, long bytes)
    {
        Interlocked.Add(ref _depth, items);
        Interlocked.Add(ref _bytes, bytes);
    }

    internal void Sent(int items)
    {
        Interlocked.Increment(ref _batches);
        Interlocked.Add(ref _items, items);
        _batchSize.Record(items, _kind);
        var largest = Volatile.Read(ref _largest);
        while (items > largest)
        {
            largest = Interlocked.CompareExchange(ref _largest, items, largest);
        }
    }

    internal void Failed() => Interlocked.Increment(ref _failed);

    internal void Undeliverable(int items) => Interlocked.Add(ref _undeliverable, items);
}
