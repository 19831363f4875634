namespace Broker.Gateway.Connections;

/// <summary>
/// How many connections may be closed by when: so many a second, or more when the time would not do otherwise. While sessions of
/// clients that were sent away wait for their move, no faster than the time demands.
/// </summary>
/// <param name="rate">Connections a second; 0: no limit.</param>
/// <param name="time">When the last one is to be closed.</param>
internal sealed class DrainPace(int rate, TimeSpan time)
{
    private TimeSpan _last;
    private double _credit;

    /// <summary>Connections to close now.</summary>
    /// <param name="open">Those that are left.</param>
    /// <param name="elapsed">Since the drain began.</param>
    /// <param name="isCongested">Whether other silos are behind with the sessions of those that were closed.</param>
    public int Due(int open, TimeSpan elapsed, bool isCongested = false)
    {
        var left = time - elapsed;
        if (rate == 0 || left <= TimeSpan.Zero)
        {
            return open;
        }

        _credit += (elapsed - _last).TotalSeconds * Math.Max(isCongested ? 0 : rate, open / left.TotalSeconds);
        _last = elapsed;
        var due = (int)Math.Min(_credit, open);
        _credit -= due;
        return due;
    }
}
