namespace Broker.Grains.Sessions;

/// <summary>Sums over the sessions of a silo.</summary>
/// <param name="Online">Sessions with a connected client.</param>
/// <param name="Dormant">Sessions whose client is away.</param>
/// <param name="Groups">Sessions of groups of shared subscriptions.</param>
/// <param name="Queued">Messages that wait, in memory or in the store only.</param>
/// <param name="QueuedBytes">Their size.</param>
/// <param name="Inflight">Messages that were sent and are not yet acknowledged.</param>
public readonly record struct SessionFigures(long Online, long Dormant, long Groups, long Queued, long QueuedBytes, long Inflight);
