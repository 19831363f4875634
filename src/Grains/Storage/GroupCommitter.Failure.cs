namespace Broker.Grains.Storage;

/// <content>What happens when a commit fails, and after.</content>
internal sealed partial class GroupCommitter
{
    private long _failedAt;
    private long _outageStartedAt;
    private long _recoveredAt;
    private long _outageLoggedAt;
    private bool _outageLogged;
    private bool _hasFailed;
    private TimeSpan _retryDelay;

    // From the first refusal of an outage or a silence to the next commit. Changed under the lock.
    private volatile bool _refuses;

    // What the latest refusal was for.
    private volatile StoreException? _failure;

    // Whether what is posted waits for the end of the outage, as it was after the latest failure.
    private bool _waitsOut;

    private bool IsPausing
    {
        get
        {
            var since = Volatile.Read(ref _recoveredAt);
            return since != 0 && _time.GetElapsedTime(since) < _options.RecoveryPause;
        }
    }

    private void Fail(Exception error)
    {
        _metrics.Failed();
        if (error is CommitInDoubtException)
        {
            HoldInDoubt(error);
            return;
        }

        Retract(_batch, _batch.Count);
        if (_batch.Count > 0 && _target.IsPermanent(error))
        {
            CommitOneByOne(error);
            return;
        }

        MarkUnavailable(error);
        RequeueBatch();
        RefuseTakenIfLong(error);
    }

    private bool MayWait(Exception error) =>
        !_refuses && !Volatile.Read(ref _stopping) && error is not StoreException { IsFull: true }
        && _time.GetElapsedTime(_outageStartedAt) < _options.OutagePatience;

    private void RefuseTakenIfLong(Exception error)
    {
        _waitsOut = MayWait(error);
        if (_waitsOut)
        {
            return;
        }

        _failure = error as StoreException ?? new StoreException(error.Message, error);
        SetRefuses(true);
        RefuseTaken(_failure);
    }

    private void SetRefuses(bool refuses)
    {
        lock (_gate)
        {
            _refuses = refuses;
            NoteCongestion();
        }
    }

    /// <summary>
    /// Refuses what would overtake what was refused before it: everything refusable, from the end of the patience until the pause
    /// after the recovery is over.
    /// </summary>
    private void RefuseOvertaking()
    {
        if (IsPausing || (_refuses && _options.RecoveryPause > TimeSpan.Zero))
        {
            // What is refused behind something that had no room is told so as well.
            RefuseTaken(_failure is { IsFull: true } full
                ? full
                : new StoreException("The store takes no commits, or has just begun to take them again."));
        }
    }

    /// <summary>What is taken and did not fit into the group has no better prospects, and somebody waits for each.</summary>
    private void RefuseTaken(StoreException refusal)
    {
        for (var i = _taken.Count; i > 0; i--)
        {
            var posted = _taken.Dequeue();
            if (posted.Write.MustSucceed)
            {
                _taken.Enqueue(posted);
            }
            else
            {
                Refuse(posted, refusal);
            }
        }
    }

    private void MarkUnavailable(Exception error)
    {
        _hasFailed = true;
        _failedAt = _time.GetTimestamp();
        if (!_available)
        {
            var doubled = _retryDelay * 2;
            _retryDelay = doubled < _options.RetryDelayMaximum ? doubled : _options.RetryDelayMaximum;
            return;
        }

        _available = false;
        _retryDelay = _options.RetryDelayMinimum;

        // Those who wait have done so since the attempt began, which may have failed by getting no answer.
        Volatile.Write(ref _outageStartedAt, Volatile.Read(ref _waitsSince) is var began && began != 0 ? began : _failedAt);

        // On a nearly full disk small commits succeed between large ones that fail: one line for all of that.
        _outageLogged = _outageLoggedAt == 0 || _time.GetElapsedTime(_outageLoggedAt) >= _options.OutageLogInterval;
        if (_outageLogged)
        {
            _outageLoggedAt = _failedAt;
            if (MayWait(error))
            {
                _logger.StoreFailedForNow(_options.OutagePatience, _metrics.FailedCommits, error.Message);
            }
            else
            {
                _logger.StoreFailed(_metrics.FailedCommits, error.Message);
            }
        }
    }

    private void Recover()
    {
        if (_refuses)
        {
            Volatile.Write(ref _recoveredAt, _time.GetTimestamp());
            SetRefuses(false);
        }

        if (_available)
        {
            return;
        }

        _available = true;
        if (_outageLogged)
        {
            _logger.StoreRecovered(_time.GetElapsedTime(_outageStartedAt), _metrics.FailedCommits);
        }
    }

    /// <summary>
    /// Who comes to be refused gets the answer after the shortest delay. What waits out the outage is built again for each
    /// attempt: not quite as often. Retries for nobody's sake back off.
    /// </summary>
    private TimeSpan TimeUntilAttempt()
    {
        var longest = _waitsOut ? _options.RetryDelayWaiting : _posted.Count > 0 ? _options.RetryDelayMinimum : _options.RetryDelayMaximum;
        return (_retryDelay < longest ? _retryDelay : longest) - _time.GetElapsedTime(_failedAt);
    }

    /// <summary>One write of the group can never be stored; only alone does it show which.</summary>
    private void CommitOneByOne(Exception error)
    {
        if (_batch.Count == 1)
        {
            var posted = _batch[0];
            _batch.Clear();
            _logger.WriteDropped(posted.Write.GetType().Name, error.Message);
            Refuse(posted, error);
            return;
        }

        // Also while the store counts as unavailable: the same group would fail in the same way for ever.
        var count = _batch.Count;
        RequeueBatch();
        _hasFailed = false;
        for (; count > 0 && !_hasFailed; count--)
        {
            _batch.Add(_taken.Dequeue());
            Attempt();
        }
    }

    /// <summary>Puts the group back in front of everything that came after it.</summary>
    private void RequeueBatch()
    {
        var later = _taken.Count;
        foreach (var posted in _batch)
        {
            _taken.Enqueue(posted);
        }

        _batch.Clear();
        for (; later > 0; later--)
        {
            _taken.Enqueue(_taken.Dequeue());
        }
    }

    private void RefuseAll(Exception error)
    {
        while (_taken.TryDequeue(out var posted))
        {
            Refuse(posted, error);
        }
    }

    private void Refuse(Posted posted, Exception error)
    {
        Release(1, posted.Bytes);
        _metrics.Refused();
        CompleteOne(posted.Write, error);
    }
}
