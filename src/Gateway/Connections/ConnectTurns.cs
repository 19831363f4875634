using System.Diagnostics.Metrics;
using Broker.Grains.Options;

namespace Broker.Gateway.Connections;

/// <summary>
/// Lets <see cref="LimitOptions.MaxConnecting"/> clients at a time have their sessions looked for: thousands that come at once are taken on
/// at the rate that the store bears, first come first served. Who waits costs its connection and nothing else, and nothing has been
/// done for it yet.
/// </summary>
internal sealed class ConnectTurns : IDisposable
{
    // Whoever takes longer waits for something else than the store, such as for a silo to be found dead: its turn goes to the next.
    private static readonly TimeSpan TurnTime = TimeSpan.FromSeconds(1);

    private readonly Meter _meter = new("Broker.Gateway");
    private readonly TimeSpan _patience;

    // Not disposed of: turns are given back while the broker stops.
    private readonly SemaphoreSlim _free;
    private int _waiting;
    private long _busy;

    public ConnectTurns(LimitOptions limits)
    {
        _patience = limits.ConnectTimeout;
        _free = new SemaphoreSlim(limits.MaxConnecting);
        _meter.CreateObservableUpDownCounter("broker.connects.waiting", () => Volatile.Read(ref _waiting), description: "CONNECTs that wait for their turn.");
        _meter.CreateObservableCounter("broker.connects.busy", () => Volatile.Read(ref _busy), description: "CONNECTs that had no turn in time: Server busy.");
    }

    /// <summary>Waits for a turn, which is to be used, or given back.</summary>
    /// <returns>False when there was none within <see cref="LimitOptions.ConnectTimeout"/>.</returns>
    public ValueTask<bool> TakeAsync(CancellationToken cancellationToken) =>
        _free.Wait(TimeSpan.Zero, CancellationToken.None) ? ValueTask.FromResult(true) : new ValueTask<bool>(WaitAsync(cancellationToken));

    /// <summary>Ends the turn with the end of what it was taken for.</summary>
    public async ValueTask<T> UseAsync<T>(ValueTask<T> work)
    {
        if (!work.IsCompleted)
        {
            var task = work.AsTask();
            work = new ValueTask<T>(task);
            await ((Task)task).WaitAsync(TurnTime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        GiveBack();
        return await work;
    }

    public void GiveBack() => _free.Release();

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            if (await _free.WaitAsync(_patience, cancellationToken))
            {
                return true;
            }

            Interlocked.Increment(ref _busy);
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
