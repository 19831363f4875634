namespace Broker.Grains.Storage;

/// <content>
/// A target that neither answers nor fails: a frozen server, a disk that hangs. What has been handed to it stays in doubt, but
/// nobody else waits with it.
/// </content>
internal sealed partial class GroupCommitter
{
    private const string NoAnswer = "The store does not answer.";

    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(500);

    private ITimer? _watch;
    private bool _silenceLogged;

    // When the attempt that is under way has begun; 0 when there is none.
    private long _waitsSince;

    private bool IsSilent
    {
        get
        {
            var since = Volatile.Read(ref _waitsSince);
            return since != 0 && _options.AnswerTime != Timeout.InfiniteTimeSpan && _time.GetElapsedTime(since) > Patience;
        }
    }

    // When the patience with an outage is over, an attempt is a question whether it is over as well: nobody waits for that.
    private TimeSpan Patience => _available || _time.GetElapsedTime(Volatile.Read(ref _outageStartedAt)) < _options.OutagePatience
        ? _options.AnswerTime
        : _options.RetryDelayMaximum;

    private void BeginWaiting() => Volatile.Write(ref _waitsSince, _time.GetTimestamp());

    private void EndWaiting()
    {
        var since = Volatile.Read(ref _waitsSince);
        Volatile.Write(ref _waitsSince, 0);
        if (Interlocked.Exchange(ref _silenceLogged, false))
        {
            _logger.Answers(_time.GetElapsedTime(since));
        }
    }

    /// <summary>What was posted before the silence was noticed is refused as well.</summary>
    private void Watch()
    {
        if (!IsSilent)
        {
            return;
        }

        if (_available && !Interlocked.Exchange(ref _silenceLogged, true))
        {
            _logger.NoAnswer(_options.AnswerTime);
        }

        NoteRefusal();
        RefusePosted(static write => !write.MustSucceed, NoAnswer);
    }

    /// <summary>The writer, which may have its answer by now, has to know: it refuses on for a pause.</summary>
    private void NoteRefusal()
    {
        lock (_gate)
        {
            _refuses = true;
            NoteCongestion();
            if (_waiting)
            {
                _waiting = false;
                Monitor.Pulse(_gate);
            }
        }
    }

    private void RefusePosted(Predicate<StoreWrite> which, string reason)
    {
        List<Posted> refused = [];
        lock (_gate)
        {
            for (var i = _posted.Count; i > 0; i--)
            {
                var posted = _posted.Dequeue();
                if (which(posted.Write))
                {
                    refused.Add(posted);
                }
                else
                {
                    _posted.Enqueue(posted);
                }
            }
        }

        var refusal = new StoreException(reason);
        refused.ForEach(posted => Refuse(posted, refusal));
    }
}
