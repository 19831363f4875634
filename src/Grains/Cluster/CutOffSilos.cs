using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// Gives up silos that live, and that the database has not heard of for <see cref="ClusterStoreOptions.GiveUpAfter"/>: asks the
/// membership to declare them dead. Until then they keep their sessions, which nobody can commit for and nobody can take over
/// (decision 0015).
/// <para>
/// Counted is only what this silo has seen without a gap, while it was in its own time: after an outage of the database for all,
/// the first one that reaches it again must not take the others for cut off.
/// </para>
/// </summary>
/// <param name="inTimeFor">How long this silo has been in its time without a gap.</param>
public sealed partial class CutOffSilos(
    IClusterMembershipService membership, ClusterStoreOptions options, Func<TimeSpan> inTimeFor, TimeProvider time, ILogger<CutOffSilos> logger)
{
    // Between two questions about the same silo: the membership works on what it is asked one after the other.
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = logger;

    /// <summary>When each was seen out of its time first, since it was last seen in it, and when the membership is to be asked.</summary>
    private readonly Dictionary<SiloAddress, (long Since, long? Asked)> _seen = [];
    private long? _looked;

    /// <summary>Takes note of a look at the database, and gives up whom it is time for.</summary>
    /// <param name="undecided">All silos of this cluster that are out of their time and not declared dead.</param>
    public async Task SeenAsync(IReadOnlySet<SiloAddress> undecided)
    {
        if (options.GiveUpAfter == TimeSpan.Zero)
        {
            return;
        }

        // In between a silo may have been in its time and out of it again.
        var now = time.GetTimestamp();
        if (_looked is { } last && time.GetElapsedTime(last, now) > options.SiloTime)
        {
            _seen.Clear();
        }

        _looked = now;
        foreach (var back in _seen.Keys.Where(silo => !undecided.Contains(silo)).ToList())
        {
            _seen.Remove(back);
        }

        await Task.WhenAll(undecided.Where(silo => IsDue(silo, now)).ToList().ConvertAll(membership.TryKill));
    }

    /// <summary>The database could not be looked at: who was in time meanwhile is not known, and all count anew.</summary>
    public void NotSeen() => _seen.Clear();

    private bool IsDue(SiloAddress silo, long now)
    {
        var (since, asked) = _seen.GetValueOrDefault(silo, (now, null));
        var isDue = time.GetElapsedTime(since, now) >= options.GiveUpAfter && inTimeFor() >= options.GiveUpAfter
            && (asked is null || time.GetElapsedTime(asked.Value, now) >= Again);
        if (isDue && asked is null)
        {
            GivenUp(silo, options.GiveUpAfter);
        }

        _seen[silo] = (since, isDue ? now : asked);
        return isDue;
    }

    [LoggerMessage(349, LogLevel.Warning,
        "Silo {Silo} lives, but has not reached the database for {Time}, and this one has: it is to be declared dead, so that its sessions go to the others")]
    private partial void GivenUp(SiloAddress silo, TimeSpan time);
}
