using Microsoft.Extensions.Logging;

namespace Broker.Grains.Storage;

/// <summary>
/// Group commit. One thread takes what was posted while it was busy and makes it one transaction; no timer, so an idle store
/// commits a lone write at once and a busy one commits large groups.
/// <para>
/// Failure: the transaction is rolled back as a whole. Its writes stand, in order, at the head of the next attempt; when the
/// patience with the outage is over (<see cref="GroupCommitterOptions.OutagePatience"/>), only those that must succeed
/// (<see cref="StoreWrite.MustSucceed"/>), and the others are refused, until the store is back and a pause over; meanwhile nobody is
/// asked to wait for room (<see cref="IsCongested"/>). While the store is unavailable an attempt follows on every new write, but not
/// sooner than the shortest delay after the last failure, and otherwise by itself with a doubling delay, so that it recovers
/// without traffic. A write that would fail on a healthy store
/// too is found by committing the writes of its group one by one, and dropped.
/// </para>
/// <para>What is lost on a crash: only writes whose completion was never called with success.</para>
/// </summary>
internal sealed partial class GroupCommitter : IDisposable
{
    private readonly ICommitTarget _target;
    private readonly GroupCommitterOptions _options;
    private readonly StoreMetrics _metrics;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Thread _thread;

    // Monitor rather than Lock: the writer waits on it with Monitor.Wait.
    private readonly object _gate = new();
    private Queue<Posted> _posted = new();
    private long _pendingWrites;
    private long _pendingBytes;
    private bool _waiting;
    private bool _stopping;
    private TaskCompletionSource? _drained;
    private bool _isOver;
    private volatile bool _congested;

    public GroupCommitter(
        ICommitTarget target, GroupCommitterOptions options, StoreMetrics metrics, ILogger logger, TimeProvider time)
    {
        _target = target;
        _options = options;
        _metrics = metrics;
        _logger = logger;
        _time = time;
        _thread = new Thread(Run) { IsBackground = true, Name = "store-writer" };
    }

    /// <summary>
    /// False from the first failed commit to the next one that succeeds, while one gets no answer, and for a pause after either
    /// if anything was refused.
    /// </summary>
    public bool IsAvailable => _available && !_refuses && !IsSilent && !IsPausing;

    /// <summary>
    /// More is posted and uncommitted than the limits allow, and it will be committed: whoever waits for that is slowed to what the
    /// target takes. Not while refusable writes are refused: then nobody waits, and what would go beyond the limits is refused at once.
    /// </summary>
    public bool IsCongested => _congested;

    public void Start()
    {
        if (_options.AnswerTime != Timeout.InfiniteTimeSpan)
        {
            _watch = _time.CreateTimer(static committer => ((GroupCommitter)committer!).Watch(), this, WatchInterval, WatchInterval);
        }

        _thread.Start();
    }

    /// <summary>
    /// Queues a write. It is completed with an error at once after <see cref="Dispose"/>, and, unless it must succeed, while the
    /// target is silent, and while it fails and the limits are reached.
    /// </summary>
    public void Post(StoreWrite write)
    {
        var bytes = write.Bytes;
        StoreException? refusal;
        lock (_gate)
        {
            refusal = _stopping ? new StoreException("The store is closed.") : write.MustSucceed ? null : RefusalNow();
            if (refusal is null)
            {
                _posted.Enqueue(new Posted(write, bytes));
                ChangePending(1, bytes);
                if (_waiting)
                {
                    _waiting = false;
                    Monitor.Pulse(_gate);
                }

                return;
            }
        }

        if (!_stopping)
        {
            NoteRefusal();
            _metrics.Refused();
        }

        CompleteOne(write, refusal);
    }

    /// <summary>Completes when <see cref="IsCongested"/> is false.</summary>
    public ValueTask WaitUntilDrainedAsync(CancellationToken cancellationToken)
    {
        if (!_congested)
        {
            return ValueTask.CompletedTask;
        }

        lock (_gate)
        {
            if (!_congested)
            {
                return ValueTask.CompletedTask;
            }

            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_drained.Task.WaitAsync(cancellationToken));
        }
    }

    /// <summary>Commits what is posted (one attempt if the store is unavailable) and ends the thread.</summary>
    public void Dispose() => Close();

    /// <inheritdoc cref="Dispose" />
    /// <returns>False when the target did not answer in time: the thread, and what it is at, is left to itself.</returns>
    public bool Close()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.Pulse(_gate);
        }

        _watch?.Dispose();
        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted) || _thread.Join(_options.CloseTime))
        {
            return true;
        }

        _logger.ClosedWithoutAnswer();
        RefusePosted(static _ => true, "The store was closed before the write could be committed.");
        return false;
    }

    private void ChangePending(int writes, long bytes)
    {
        _pendingWrites += writes;
        _pendingBytes += bytes;
        _metrics.Pending(_pendingWrites, _pendingBytes);
        _isOver = _pendingWrites > _options.MaximumPendingWrites || _pendingBytes > _options.MaximumPendingBytes;
        NoteCongestion();
    }

    /// <summary>Those who wait are released when it is over, and when what they would post is refused anyway.</summary>
    private void NoteCongestion()
    {
        _congested = _isOver && !_refuses;
        if (!_congested && _drained is { } drained)
        {
            _drained = null;
            drained.SetResult();
        }
    }

    /// <summary>What a refusable write is refused with before it is queued; null when it is queued.</summary>
    private StoreException? RefusalNow()
    {
        if (IsSilent)
        {
            return new StoreException(NoAnswer);
        }

        return _refuses && _isOver ? _failure ?? new StoreException("The store takes no commits.") : null;
    }

    private void Release(int writes, long bytes)
    {
        lock (_gate)
        {
            ChangePending(-writes, -bytes);
        }
    }

    private readonly record struct Posted(StoreWrite Write, int Bytes);
}
