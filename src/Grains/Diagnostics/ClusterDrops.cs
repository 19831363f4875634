using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Topics;

namespace Broker.Grains.Diagnostics;

/// <summary>Asks the loss ledgers of all silos.</summary>
public sealed class ClusterDrops(DropLedger ledger, LiveSilos silos, InboxClient inboxes, TopicLog log)
{
    // A frozen silo does not answer until it is found dead.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>What each silo answers; null for one that does not.</summary>
    public async Task<IReadOnlyList<(SiloAddress Silo, DropReport? Report)>> FindAsync(DropQuery query) =>
        await Task.WhenAll(silos.All.Order().Select(async silo => (silo, await AskAsync(silo, query))));

    private async Task<DropReport?> AskAsync(SiloAddress silo, DropQuery query)
    {
        if (silo.Equals(silos.Local))
        {
            return ledger.Find(query);
        }

        try
        {
            return await inboxes.Of(silo).Drops(query).WaitAsync(Patience);
        }
        catch (Exception error)
        {
            // It starts, stops or dies, or is of a version that keeps no ledger.
            log.ReportNotAnswered(error, silo);
            return null;
        }
    }
}
