using System.Diagnostics.Metrics;
using System.Text;

namespace Broker.Grains.Diagnostics;

/// <summary>One message that was dropped for good.</summary>
/// <param name="Time">Milliseconds since 1970.</param>
/// <param name="ClientId">Whose delivery it was; the publisher's for a refused publish.</param>
public readonly record struct Drop(long Time, string ClientId, string Topic, DropReason Reason);

/// <summary>Counts every permanent drop by reason and remembers the latest ones with client and topic (promise 5).</summary>
public sealed class DropLedger : IDisposable
{
    /// <summary>How many of the latest drops are remembered: some 200 KB with topics of usual length.</summary>
    public const int Capacity = 1024;

    private static readonly DropReason[] Reasons = Enum.GetValues<DropReason>();

    private readonly long[] _counts = new long[Reasons.Length];
    private readonly Drop[] _latest = new Drop[Capacity];
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Meter _meter = new("Broker.Grains");
    private long _written;

    public DropLedger(TimeProvider time)
    {
        _time = time;
        _meter.CreateObservableCounter(
            "broker.messages.dropped",
            () => Reasons.Select(r => new Measurement<long>(Count(r), new KeyValuePair<string, object?>("reason", r.ToString()))),
            description: "Messages dropped for good, by reason.");
    }

    /// <summary>Records a drop, or several that have client and reason in common.</summary>
    public void Add(string clientId, ReadOnlySpan<byte> topic, DropReason reason, int count = 1)
    {
        var drop = new Drop(_time.GetUtcNow().ToUnixTimeMilliseconds(), clientId, Encoding.UTF8.GetString(topic), reason);
        lock (_gate)
        {
            _counts[(int)reason] += count;
            _latest[_written++ % Capacity] = drop;
        }
    }

    /// <summary>How many were dropped for a reason since the start.</summary>
    public long Count(DropReason reason)
    {
        lock (_gate)
        {
            return _counts[(int)reason];
        }
    }

    /// <summary>The latest drops, oldest first.</summary>
    public IReadOnlyList<Drop> Latest()
    {
        lock (_gate)
        {
            var count = (int)Math.Min(_written, Capacity);
            var latest = new Drop[count];
            for (var i = 0; i < count; i++)
            {
                latest[i] = _latest[(_written - count + i) % Capacity];
            }

            return latest;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();
}
