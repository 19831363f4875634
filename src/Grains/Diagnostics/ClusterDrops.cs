using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Topics;

namespace Broker.Grains.Diagnostics;

/// <summary>Asks the loss ledgers of all silos.</summary>
public sealed class ClusterDrops(DropLedger ledger, LiveSilos silos, InboxClient inboxes, TopicLog log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>What each silo answers; null for one that does not.</summary>
    public async Task<IReadOnlyList<(SiloAddress Silo, DropReport? Report)>> FindAsync(DropQuery query) =>
        await Task.WhenAll(silos.All.Order().Select(async silo => (silo, await AskAsync(silo, query))));

    private Task<DropReport?> AskAsync(SiloAddress silo, DropQuery query) => silo.Equals(silos.Local)
        ? Task.FromResult<DropReport?>(ledger.Find(query))
        : InboxClient.AskAsync(inboxes.Of, silo, inbox => inbox.Drops(query), Patience, log.ReportNotAnswered);
}
