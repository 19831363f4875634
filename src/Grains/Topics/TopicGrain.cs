using Broker.Grains.Cluster;
using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Topics;
using Orleans.Concurrency;

namespace Broker.Grains.Topics;

/// <summary>
/// One Topic Filter of the whole cluster: which silos have sessions that subscribe to it, and what waits for them. What it
/// knows is derived and never written; looking at it creates nothing durable. Messages do not pass through it: the silos
/// lend each other their interest, and the one that accepts a message sends it to each interested silo itself (decision 0007).
/// </summary>
[Reentrant]
public sealed class TopicGrain(InboxClient inboxes, LiveSilos silos, Peers peers, TopicLog log) : Grain, ITopicGrain
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private string Filter => GrainKeys.Filter(this.GetPrimaryKeyString());

    /// <inheritdoc />
    public async Task<TopicSnapshot> GetState()
    {
        var answers = await Task.WhenAll(silos.All.Order().Select(async silo => Describe(silo, await AskAsync(silo))));
        return new TopicSnapshot
        {
            Filter = Filter,
            Silos = [.. answers.Where(static s => !s.IsKnown || s.Connected + s.Dormant > 0)],
            Dormant = answers.Sum(static s => s.Dormant),
        };
    }

    private TopicSilo Describe(SiloAddress silo, SiloInterest? interest) => new()
    {
        Silo = silo.ToString(),
        IsKnown = interest is not null,
        Connected = interest?.Connected ?? 0,
        Dormant = interest?.Dormant ?? 0,
        EdgeDepth = peers.Find(silo)?.Edge.Depth ?? 0,
        EdgeBytes = peers.Find(silo)?.Edge.Bytes ?? 0,
    };

    private Task<SiloInterest?> AskAsync(SiloAddress silo) => InboxClient.AskAsync(
        inboxes.Of, silo, inbox => inbox.InterestIn(Filter), Patience, (error, asked) => log.NotAnswered(error, asked, Filter));
}
