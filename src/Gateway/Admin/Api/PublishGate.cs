using System.Diagnostics.Metrics;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;

namespace Broker.Gateway.Admin.Api;

/// <summary>
/// How many requests publish at a time: <see cref="HttpOptions.MaxPublishRequests"/>. At a stop, after the connections of MQTT, it takes no
/// more, waits for those under way as long as the drain may last, and has those that are left answered: one that waits for a store that is
/// away would hold Kestrel, and with it everything behind, for the whole stop time.
/// </summary>
internal sealed class PublishGate : IConnectionDrain, IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly Meter _meter = new("Broker.Gateway");
    private readonly CancellationTokenSource _over = new();
    private readonly int _limit;
    private int _open;
    private long _refused;
    private volatile bool _isClosed;

    public PublishGate(HttpOptions options)
    {
        _limit = options.MaxPublishRequests;
        _meter.CreateObservableUpDownCounter(
            "broker.http.publishing", () => Math.Min(Volatile.Read(ref _open), _limit), description: "Requests that publish, under way.");
        _meter.CreateObservableCounter(
            "broker.http.publish.refused",
            () => Volatile.Read(ref _refused),
            description: "Requests that were answered with 503 because as many as may be were under way.");
    }

    /// <summary>Fires when the requests under way have to end.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>The broker stops: nothing is taken any more.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>Lets a request in, which then owes an <see cref="Exit"/>. False: there are as many as may be, or the broker stops.</summary>
    public bool TryEnter()
    {
        // First counted, then looked: a drain that misses the count is seen here.
        var open = Interlocked.Increment(ref _open);
        if (!_isClosed && open <= _limit)
        {
            return true;
        }

        Interlocked.Decrement(ref _open);
        if (!_isClosed)
        {
            Interlocked.Increment(ref _refused);
        }

        return false;
    }

    public void Exit() => Interlocked.Decrement(ref _open);

    /// <inheritdoc />
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        _isClosed = true;
        Interlocked.MemoryBarrier();
        while (Volatile.Read(ref _open) > 0 && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Look, CancellationToken.None);
        }

        await _over.CancelAsync();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _meter.Dispose();
        _over.Dispose();
    }
}
