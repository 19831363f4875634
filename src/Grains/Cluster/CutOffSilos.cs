using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// Gives up silos that live, and that the database has not heard of for <see cref="ClusterStoreOptions.GiveUpAfter"/>: asks the membership to
/// declare them dead. Until then they keep their sessions, which nobody can commit for and nobody can take over (decision 0015).
/// <para>
/// Counted is only what this silo has seen without a gap, while it was in its own time: after an outage of the database for all, the first
/// one that reaches it again must not take the others for cut off.
/// </para>
/// </summary>
/// <param name="inTimeFor">How long this silo has been in its time without a gap.</param>
public sealed partial class CutOffSilos(
    IClusterMembershipService membership, ClusterStoreOptions options, Func<TimeSpan> inTimeFor, TimeProvider time, ILogger<CutOffSilos> logger)
{
    private readonly ILogger _logger = logger;

    /// <summary>When each was seen out of its time first, since it was last seen in it.</summary>
    private readonly Dictionary<SiloAddress, long> _since = [];

    /// <summary>Takes note of a look at the database, and gives up whom it is time for.</summary>
    /// <param name="undecided">All silos of this cluster that are out of their time and not declared dead.</param>
    public async Task SeenAsync(IReadOnlySet<SiloAddress> undecided)
    {
        if (options.GiveUpAfter == TimeSpan.Zero)
        {
            return;
        }

        foreach (var back in _since.Keys.Where(silo => !undecided.Contains(silo)).ToList())
        {
            _since.Remove(back);
        }

        foreach (var silo in undecided)
        {
            _since.TryAdd(silo, time.GetTimestamp());
            if (time.GetElapsedTime(_since[silo]) >= options.GiveUpAfter && inTimeFor() >= options.GiveUpAfter)
            {
                GivenUp(silo, options.GiveUpAfter);
                await membership.TryKill(silo);
            }
        }
    }

    /// <summary>The database could not be looked at: who was in time meanwhile is not known, and all count anew.</summary>
    public void NotSeen() => _since.Clear();

    [LoggerMessage(349, LogLevel.Warning,
        "Silo {Silo} lives, but has not reached the database for {Time}, and this one has: it is to be declared dead, so that its sessions go to the others")]
    private partial void GivenUp(SiloAddress silo, TimeSpan time);
}
