namespace Broker.Grains.Cluster;

/// <summary>
/// Knows when every publish that was being routed at some moment has been handed over, to the store and to the edges. What
/// was decided by an index before a change of it is then on its way; what is routed from then on sees the change.
/// </summary>
/// <remarks>Two counters, of which one is in use: a waiter has the other one used from now on, and waits for this one to empty.</remarks>
public sealed class RoutingGate : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(1);

    private readonly SemaphoreSlim _oneWaiter = new(1);
    private readonly int[] _routing = new int[2];
    private int _phase;

    /// <summary>A publish begins; the result is for <see cref="Exit"/>.</summary>
    public int Enter()
    {
        while (true)
        {
            var phase = Volatile.Read(ref _phase);
            Interlocked.Increment(ref _routing[phase]);
            if (Volatile.Read(ref _phase) == phase)
            {
                return phase;
            }

            // A waiter came in between, and may have seen the counter without this one.
            Interlocked.Decrement(ref _routing[phase]);
        }
    }

    /// <summary>Everything that the publish needs has been handed over.</summary>
    public void Exit(int phase) => Interlocked.Decrement(ref _routing[phase]);

    /// <inheritdoc />
    public void Dispose() => _oneWaiter.Dispose();

    /// <summary>Completes when every publish that has begun before is handed over.</summary>
    public async Task PassedAsync()
    {
        await _oneWaiter.WaitAsync();
        try
        {
            var phase = _phase;
            Interlocked.Exchange(ref _phase, 1 - phase);
            while (Volatile.Read(ref _routing[phase]) > 0)
            {
                await Task.Delay(Look);
            }
        }
        finally
        {
            _oneWaiter.Release();
        }
    }
}
