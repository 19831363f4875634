using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Topics;

namespace Broker.Grains.Diagnostics;

/// <summary>Asks the loss ledgers of all silos.</summary>
public sealed class ClusterDrops(DropLedger ledger, SiloQuestions silos)
{
    /// <summary>What each silo answers; null for one that does not.</summary>
    public Task<IReadOnlyList<(SiloAddress Silo, DropReport? Report)>> FindAsync(DropQuery query) =>
        silos.AskAllAsync(() => ledger.Find(query), inbox => inbox.Drops(query));
}
