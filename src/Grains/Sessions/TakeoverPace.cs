namespace Broker.Grains.Sessions;

/// <summary>
/// How fast connections to different silos may take one client id from each other. Two clients that have the same id, and come
/// back whenever they are disconnected, would otherwise move a session as fast as the machines can. A few such takeovers are
/// nobody's fault (a client that finds its connection dead before the broker does); each one more waits twice as long as the last.
/// </summary>
/// <param name="Count">Takeovers from another silo in a row.</param>
/// <param name="Last">The latest, in milliseconds of a clock that does not step; as an age while it moves between silos.</param>
[GenerateSerializer, Immutable, Alias("broker.session.pace")]
public readonly record struct TakeoverPace([property: Id(0)] int Count, [property: Id(1)] long Last)
{
    /// <summary>Takeovers in a row that nobody waits for.</summary>
    public const int Free = 4;

    private const int DoublesUntilLongest = 6;

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);

    /// <summary>The most that a CONNECT waits for its turn, alone.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which it is no fight any more.</summary>
    public static readonly TimeSpan Peace = TimeSpan.FromSeconds(15);

    /// <summary>How long a CONNECT has to wait before it may take the id from the connection that has it.</summary>
    /// <param name="now">Milliseconds of the same clock.</param>
    public TimeSpan Wait(long now)
    {
        var since = now - Last;
        if (Count < Free || since > Peace.TotalMilliseconds)
        {
            return TimeSpan.Zero;
        }

        var doubles = Math.Min(Count - Free, DoublesUntilLongest);
        var interval = Math.Min(Shortest.TotalMilliseconds * (1 << doubles), Longest.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(Math.Max(0, interval - since));
    }

    /// <summary>After one more takeover.</summary>
    public TakeoverPace Next(long now) =>
        new(now - Last > Peace.TotalMilliseconds ? 1 : Count + 1, now);

    /// <summary>From a time of this silo's clock to an age, and from an age to a time of another silo's.</summary>
    public TakeoverPace Turned(long now) => this with { Last = now - Last };
}
