namespace Broker.Grains.Storage;

/// <content>What happens when a commit fails, and after.</content>
internal sealed partial class GroupCommitter
{
    private long _failedAt;
    private long _outageStartedAt;
    private long _outageLoggedAt;
    private bool _outageLogged;
    private bool _hasFailed;
    private TimeSpan _retryDelay;

    private void Fail(Exception error)
    {
        _metrics.Failed();
        if (error is CommitInDoubtException)
        {
            HoldInDoubt(error);
            return;
        }

        Retract(_batch, _batch.Count);
        if (_target.IsPermanent(error))
        {
            CommitOneByOne(error);
            return;
        }

        MarkUnavailable(error);
        RequeueBatch();
        RefuseTaken(error);
    }

    /// <summary>What is taken and did not fit into the group has no better prospects, and somebody waits for each.</summary>
    private void RefuseTaken(Exception error)
    {
        var refusal = error as StoreException ?? new StoreException(error.Message, error);
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
        _outageStartedAt = _failedAt;

        // On a nearly full disk small commits succeed between large ones that fail: one line for all of that.
        _outageLogged = _outageLoggedAt == 0 || _time.GetElapsedTime(_outageLoggedAt) >= _options.OutageLogInterval;
        if (_outageLogged)
        {
            _outageLoggedAt = _failedAt;
            _logger.StoreFailed(_metrics.FailedCommits, error.Message);
        }
    }

    private void Recover()
    {
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

    /// <summary>Somebody who waits for an answer gets it after the shortest delay; retries for nobody's sake back off.</summary>
    private TimeSpan TimeUntilAttempt()
    {
        var delay = _posted.Count > 0 ? _options.RetryDelayMinimum : _retryDelay;
        return delay - _time.GetElapsedTime(_failedAt);
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
