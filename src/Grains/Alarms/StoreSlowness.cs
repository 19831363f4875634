namespace Broker.Grains.Alarms;

/// <summary>
/// Whether commits are slow, judged from how many there were and how long they took. One slow commit, or a second of them, is no alarm: there must have been
/// slow ones, and none that were clearly faster, for a while; and it is over when there has been no slow one for as long.
/// </summary>
/// <param name="limit">A look whose commits took longer than this on average is a slow one; less than half of it ends what has begun.</param>
/// <param name="lasts">How long it must have been so, one way or the other.</param>
internal sealed class StoreSlowness(TimeSpan limit, TimeSpan lasts)
{
    private long _commits;
    private TimeSpan _spent;
    private TimeSpan? _slowSince;
    private TimeSpan _lastSlow;

    /// <summary>Whether commits have been slow for a while.</summary>
    public bool IsSlow { get; private set; }

    /// <summary>How long a commit took on average, at the latest look at which there were any.</summary>
    public TimeSpan Mean { get; private set; }

    /// <param name="now">On a clock that does not jump.</param>
    /// <param name="commits">Transactions committed so far.</param>
    /// <param name="spent">Time spent in all of them.</param>
    public void Look(TimeSpan now, long commits, TimeSpan spent)
    {
        var count = commits - _commits;
        if (count > 0)
        {
            Mean = (spent - _spent) / count;
            (_commits, _spent) = (commits, spent);
            Judge(now);
        }

        if (now - _lastSlow >= lasts)
        {
            IsSlow = false;
            _slowSince = null;
        }
    }

    private void Judge(TimeSpan now)
    {
        if (Mean > limit)
        {
            _slowSince ??= now;
            _lastSlow = now;
            IsSlow |= now - _slowSince >= lasts;
        }
        else if (Mean < limit / 2)
        {
            _slowSince = null;
        }
    }
}
