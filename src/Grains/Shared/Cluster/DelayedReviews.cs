namespace Broker.Grains.Shared.Cluster;

/// <summary>
/// Looks at things some time after they were added: one loop for all of them, which ends when there are none. What is added again meanwhile
/// waits anew.
/// </summary>
/// <param name="delay">How long each waits.</param>
/// <param name="review">Looks at one; false: it is to be looked at again when as much time has passed. Must not throw.</param>
internal sealed class DelayedReviews<T>(TimeSpan delay, TimeProvider time, Func<T, Task<bool>> review)
    where T : class
{
    private readonly Lock _gate = new();
    private readonly Queue<(T Item, long Since)> _queue = new();
    private readonly Dictionary<T, long> _since = [];
    private bool _isRunning;

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _since.Count;
            }
        }
    }

    /// <summary>May be called under any lock.</summary>
    public void Add(T item)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (_since.TryAdd(item, now))
            {
                _queue.Enqueue((item, now));
            }
            else
            {
                _since[item] = now;
            }

            if (_isRunning)
            {
                return;
            }

            _isRunning = true;
        }

        _ = Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        while (TryPeek(out var wait))
        {
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, time);
            }

            if (Take() is { } item && !await review(item))
            {
                Add(item);
            }
        }
    }

    private bool TryPeek(out TimeSpan wait)
    {
        lock (_gate)
        {
            if (!_queue.TryPeek(out var first))
            {
                _isRunning = false;
                wait = default;
                return false;
            }

            wait = delay - time.GetElapsedTime(first.Since);
            return true;
        }
    }

    /// <summary>The first; null when it was added again since, and waits at the end now.</summary>
    private T? Take()
    {
        lock (_gate)
        {
            var (item, since) = _queue.Dequeue();
            if (_since[item] > since)
            {
                _queue.Enqueue((item, _since[item]));
                return null;
            }

            _since.Remove(item);
            return item;
        }
    }
}
