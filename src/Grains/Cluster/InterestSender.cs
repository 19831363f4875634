using Broker.Grains.Interfaces.Cluster;

namespace Broker.Grains.Cluster;

/// <summary>
/// Tells one silo the changes of interest. What it still has to tell is a state for each filter and not a list of events:
/// it is bounded by the number of filters, and a call that failed is made good by the next one. One call at a time.
/// </summary>
internal sealed class InterestSender(SiloAddress local, Func<InterestUpdate, Task> send, TimeProvider time)
{
    // Of one call: large enough for speed, small enough for a network.
    private const int MaxFilters = 5_000;

    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(50);

    private readonly Dictionary<string, bool> _pending = new(StringComparer.Ordinal);
    private readonly List<(long Version, TaskCompletionSource Done)> _waiters = [];
    private readonly Lock _gate = new();
    private long _version;
    private long _sentVersion;
    private long _number;
    private bool _mustComplete;
    private bool _isComplete;
    private bool _isRunning;
    private bool _isClosed;

    public void Change(string filter, bool exists)
    {
        lock (_gate)
        {
            _pending[filter] = exists;
            Start();
        }
    }

    /// <summary>Once everything pending has been told, the silo knows all.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _mustComplete = true;
            Start();
        }
    }

    /// <summary>Completes when the silo has taken what is known now, or is gone.</summary>
    public Task SentAsync()
    {
        lock (_gate)
        {
            if (_isClosed || _sentVersion >= _version)
            {
                return Task.CompletedTask;
            }

            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((_version, done));
            return done.Task;
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            _pending.Clear();
            _waiters.ForEach(static waiter => waiter.Done.TrySetResult());
            _waiters.Clear();
        }
    }

    private void Start()
    {
        _version++;
        if (!_isRunning && !_isClosed)
        {
            _isRunning = true;
            _ = Task.Run(PumpAsync);
        }
    }

    private async Task PumpAsync()
    {
        while (Take() is { } call)
        {
            try
            {
                await send(call.Update);
                Sent(call);
            }
            catch (Exception)
            {
                // It starts, stops or dies. As long as it is not known to be gone, it is told again.
                PutBack(call);
                await Task.Delay(RetryPause, time);
            }
        }
    }

    private Call? Take()
    {
        lock (_gate)
        {
            if (_isClosed || (_pending.Count == 0 && (_isComplete || !_mustComplete)))
            {
                _isRunning = false;
                _sentVersion = _version;
                return null;
            }

            var taken = _pending.Take(MaxFilters).ToList();
            taken.ForEach(change => _pending.Remove(change.Key));
            var isLast = _pending.Count == 0;
            return new Call(
                taken,
                isLast ? _version : _sentVersion,
                new InterestUpdate
                {
                    Silo = local,
                    Number = ++_number,
                    Added = [.. taken.Where(static c => c.Value).Select(static c => c.Key)],
                    Removed = [.. taken.Where(static c => !c.Value).Select(static c => c.Key)],
                    IsComplete = isLast && _mustComplete,
                });
        }
    }

    private void Sent(Call call)
    {
        lock (_gate)
        {
            _isComplete |= call.Update.IsComplete;
            _sentVersion = call.Version;
            foreach (var waiter in _waiters.Where(w => w.Version <= _sentVersion))
            {
                waiter.Done.TrySetResult();
            }

            _waiters.RemoveAll(w => w.Version <= _sentVersion);
        }
    }

    private void PutBack(Call call)
    {
        lock (_gate)
        {
            foreach (var (filter, exists) in call.Changes)
            {
                _pending.TryAdd(filter, exists);
            }
        }
    }

    /// <param name="Version">What the silo has when it has taken the call.</param>
    private sealed record Call(List<KeyValuePair<string, bool>> Changes, long Version, InterestUpdate Update);
}
