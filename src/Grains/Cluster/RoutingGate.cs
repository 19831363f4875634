namespace Broker.Grains.Cluster;

/// <summary>
/// Knows when every publish that was being routed at some moment has been handed over, to the store and to the edges. What
/// was decided by an index before a change of it is then on its way; what is routed from then on sees the change.
/// </summary>
/// <remarks>
/// Two counters, of which one is in use: a waiter has the other one used from now on, and waits for this one to empty.
/// <para>
/// A Will cannot wait until a dead silo is settled, as what clients publish does: <see cref="EnterUnheld"/> keeps the end of
/// the settlement from coming between the parts of its routing.
/// </para>
/// </remarks>
public sealed class RoutingGate
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly Lock _unheldGate = new();
    private readonly int[] _routing = new int[2];
    private Task _pass = Task.CompletedTask;
    private Task? _next;
    private int _unheld;
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

    /// <summary>Like <see cref="Enter"/>, for a publish that does not ask whether it has to wait.</summary>
    public int EnterUnheld()
    {
        lock (_unheldGate)
        {
            _unheld++;
        }

        return Enter();
    }

    /// <summary>Ends what <see cref="EnterUnheld"/> has begun.</summary>
    public void ExitUnheld(int phase)
    {
        Exit(phase);
        lock (_unheldGate)
        {
            _unheld--;
        }
    }

    /// <summary>Does something while nothing unheld is being routed; false when there is, or when <paramref name="action"/> says so.</summary>
    public bool TryWithoutUnheld(Func<bool> action)
    {
        lock (_unheldGate)
        {
            return _unheld == 0 && action();
        }
    }

    /// <summary>Completes when every publish that has begun before is handed over. Who asks while one is waited for shares the next.</summary>
    public Task PassedAsync()
    {
        lock (_gate)
        {
            if (_next is null && _pass.IsCompleted)
            {
                return _pass = PassAsync();
            }

            return _next ??= PassAfterAsync(_pass);
        }
    }

    private async Task PassAfterAsync(Task running)
    {
        // Not inside the lock of who asks.
        await running.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Task pass;
        lock (_gate)
        {
            _next = null;
            _pass = pass = PassAsync();
        }

        await pass;
    }

    private async Task PassAsync()
    {
        var phase = _phase;
        Interlocked.Exchange(ref _phase, 1 - phase);
        while (Volatile.Read(ref _routing[phase]) > 0)
        {
            await Task.Delay(Look);
        }
    }
}
