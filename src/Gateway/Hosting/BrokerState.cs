namespace Broker.Gateway.Hosting;

/// <summary>How far the process is in its life, for readiness and for the listeners.</summary>
internal sealed class BrokerState : IDisposable
{
    private readonly CancellationTokenSource _over = new();
    private volatile bool _abandoned;
    private volatile bool _started;
    private volatile bool _stopping;
    private volatile bool _closed;

    /// <summary>Every listener is open.</summary>
    public bool IsStarted => _started;

    /// <summary>A stop has begun: clients should not be sent here any more.</summary>
    public bool IsStopping => _stopping;

    /// <summary>No connection is taken any more.</summary>
    public bool IsClosed => _closed;

    /// <summary>Fires with <see cref="IsClosed"/>: for what waits for a client and is no connection yet.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>The start has failed or was called off. What the parts say while they are taken down again is noise.</summary>
    public bool IsAbandoned => _abandoned && !_started;

    public void Abandoned() => _abandoned = true;

    public void Started() => _started = true;

    public void Stopping() => _stopping = true;

    public void Closed()
    {
        _closed = true;

        // Whoever looks now for connections that were let in sees each that was not refused.
        Interlocked.MemoryBarrier();
        _over.Cancel();
    }

    /// <inheritdoc />
    public void Dispose() => _over.Dispose();
}
