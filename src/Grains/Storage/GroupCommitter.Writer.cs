namespace Broker.Grains.Storage;

/// <content>The writer's thread.</content>
internal sealed partial class GroupCommitter
{
    // Only the writer's thread touches these, except for the flag.
    private readonly List<Posted> _batch = [];
    private Queue<Posted> _taken = new();
    private volatile bool _available = true;
    private bool _housekeeping;
    private bool _idle;
    private bool _lastChance;

    private enum Work
    {
        Commit,
        Housekeeping,
        Stop,
    }

    private void Run()
    {
        while (true)
        {
            switch (WaitForWork())
            {
                case Work.Commit:
                    BeginWaiting();
                    if (SettleDoubt())
                    {
                        RefuseOvertaking();
                        FillBatch();
                        Attempt();
                    }

                    EndWaiting();
                    break;
                case Work.Housekeeping:
                    KeepHouse();
                    break;
                default:
                    // Only what a failed last attempt kept: whoever stops the broker must not wait for a dead disk.
                    RefuseAll(new StoreException("The store was closed before the write could be committed."));
                    RefuseDoubt();
                    return;
            }
        }
    }

    private Work WaitForWork()
    {
        lock (_gate)
        {
            while (true)
            {
                if (_stopping)
                {
                    TakePosted();
                    var attempt = _taken.Count + _doubt.Count > 0 && (_available || !_lastChance);
                    _lastChance = true;
                    return attempt ? Work.Commit : Work.Stop;
                }

                var delay = _available ? TimeSpan.Zero : TimeUntilAttempt();
                if (delay <= TimeSpan.Zero && (_posted.Count > 0 || _taken.Count > 0 || !_available || _refuses))
                {
                    TakePosted();
                    _idle = false;
                    return Work.Commit;
                }

                if (!Wait(delay))
                {
                    return Work.Housekeeping;
                }
            }
        }
    }

    /// <summary>False when it was time for housekeeping that passed, with nothing posted.</summary>
    private bool Wait(TimeSpan delay)
    {
        var housekeeping = _available && _housekeeping;
        var timeout = !_available ? delay : !housekeeping ? Timeout.InfiniteTimeSpan
            : _idle ? _options.IdleStepPause : _options.IdleDelay;
        _waiting = true;
        Monitor.Wait(_gate, timeout);
        _waiting = false;
        return !housekeeping || _stopping || _posted.Count > 0;
    }

    private void TakePosted()
    {
        if (_taken.Count == 0)
        {
            (_taken, _posted) = (_posted, _taken);
            return;
        }

        while (_posted.TryDequeue(out var posted))
        {
            _taken.Enqueue(posted);
        }
    }

    private void FillBatch()
    {
        long bytes = 0;
        var rows = 0;
        while (_taken.TryPeek(out var next)
            && (_batch.Count == 0
                || (rows + next.Write.Rows <= _options.MaximumBatchWrites && bytes + next.Bytes <= _options.MaximumBatchBytes)))
        {
            bytes += next.Bytes;
            rows += next.Write.Rows;
            _batch.Add(_taken.Dequeue());
        }
    }

    private void KeepHouse()
    {
        _idle = true;
        try
        {
            _housekeeping = _target.RunIdleStep();
        }
        catch (StoreException error)
        {
            // Nothing was promised to anybody; the next commit asks for housekeeping again.
            _housekeeping = false;
            _logger.HousekeepingFailed(error.Message);
        }
    }

    private void Attempt()
    {
        var started = _time.GetTimestamp();
        try
        {
            var rows = AddAndCommit();
            _metrics.Committed(_batch.Count, rows, _time.GetElapsedTime(started));
        }
        catch (Exception error)
        {
            // Whatever a provider throws, the writer must live: without it the broker stands still silently.
            Fail(error);
            return;
        }

        Recover();
        Finish();
        _housekeeping = true;
        try
        {
            _target.AfterCommit();
        }
        catch (StoreException error)
        {
            // The commit stands. If the trouble lasts, the next commit fails and says so.
            _logger.HousekeepingFailed(error.Message);
        }
    }

    private int AddAndCommit()
    {
        while (true)
        {
            AddRows();
            try
            {
                return _target.Commit(mustTouchDisk: !_available);
            }
            catch (StaleBatchException)
            {
                // The target knows better now, so the next round differs; it gives up itself when that does not help.
                Retract(_batch, _batch.Count);
            }
        }
    }

    private void AddRows()
    {
        var batch = _target.Begin();
        for (var i = 0; i < _batch.Count; i++)
        {
            var posted = _batch[i];
            try
            {
                posted.Write.AddTo(batch);
            }
            catch (Exception error)
            {
                // Its rows may stand half in the batch, so the batch is built again without it.
                if (error is not SessionFencedException)
                {
                    _logger.WriteFaulted(error, posted.Write.GetType().Name);
                }

                Retract(_batch, i + 1);
                _batch.RemoveAt(i);
                Refuse(posted, error);
                batch = _target.Begin();
                i = -1;
            }
        }
    }

    private void Finish()
    {
        long bytes = 0;
        foreach (var posted in _batch)
        {
            bytes += posted.Bytes;
        }

        Release(_batch.Count, bytes);
        foreach (var posted in _batch)
        {
            CompleteOne(posted.Write, null);
        }

        _batch.Clear();
    }

    private void CompleteOne(StoreWrite write, Exception? error)
    {
        try
        {
            write.Complete(error);
        }
        catch (Exception fault)
        {
            // The row is durable (or refused) whatever its owner makes of the news.
            _logger.CompletionFaulted(fault, write.GetType().Name);
        }
    }
}
