using System.Text;
using Broker.Grains.Alarms;
using Broker.Grains.Cluster;
using Broker.Grains.Diagnostics;
using Broker.Grains.Edges;
using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Interfaces.Shared;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Messages;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Grains.Shared.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Broker.Protocol;
using Orleans.Concurrency;

namespace Broker.Grains.Topics;

/// <summary>The inbox as Orleans sees it: one on each silo, addressed by silo, up as long as the silo is active.</summary>
[Reentrant]
public sealed class SiloInbox(
    GrainId id,
    Silo silo,
    ILoggerFactory loggers,
    InboxDelivery delivery,
    FilterIndex<Subscription> index,
    SharedGroups shared,
    RemoteInterest remote,
    Peers peers,
    LiveSilos silos,
    SessionLifecycle lifecycle,
    IServiceProvider services) : GrainService(id, silo, loggers), ISiloInbox
{
    private readonly RepeatGuard<DeliveryOutcome> _repeats = new();
    private readonly MatchBuffer<Subscription> _buffer = new();

    private readonly RepeatGuard<SharedAnswer> _sharedRepeats = new();

    private SessionMoves Moves => services.GetRequiredService<SessionMoves>();

    /// <inheritdoc />
    public Task<DeliveryOutcome> Deliver(EdgeBatch batch)
    {
        if (batch.Batches[0].Origin is { } origin && silos.IsGone(origin))
        {
            // It was frozen and does not know yet. Its publishers have sent these again elsewhere.
            throw new InvalidOperationException($"Silo {origin} is dead to this one.");
        }

        return _repeats.Once(batch.Edge, batch.Number, DeliveryOutcome.Success, () => delivery.DeliverAsync(batch));
    }

    /// <inheritdoc />
    public Task Interest(InterestUpdate update)
    {
        if (peers.Get(update.Silo) is not { IsDead: false } peer)
        {
            // It does not know yet; a SUBACK that waits for this one must not leave.
            throw new InvalidOperationException($"Silo {update.Silo} is dead to this one.");
        }

        remote.Apply(peer, update);

        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task<SiloInterest> InterestIn(string filter)
    {
        if (SharedFilter.IsShared(filter))
        {
            var members = shared.LocalMembers(filter);
            var present = members.Count(static m => !m.IsAway);
            return Task.FromResult(new SiloInterest { Silo = silos.Local, Connected = present, Dormant = members.Count - present });
        }

        var connected = 0;
        var all = index.SubscribersOf(Encoding.UTF8.GetBytes(filter), _buffer);
        foreach (var subscription in all)
        {
            connected += subscription.Session.IsConnected ? 1 : 0;
        }

        return Task.FromResult(new SiloInterest
        {
            Silo = silos.Local, Connected = connected, Dormant = all.Length - connected,
        });
    }

    /// <inheritdoc />
    public Task Settle(SiloAddress[] dead) => services.GetRequiredService<DeadSilos>().SettleAsync(dead);

    /// <inheritdoc />
    public Task<SiloAddress?> Detach(string clientId) => Moves.DetachAsync(clientId);

    /// <inheritdoc />
    public Task Drain() => services.GetRequiredService<InFlightDrain>().DrainAsync();

    /// <inheritdoc />
    public Task DrainTowards(SiloAddress silo) => services.GetRequiredService<InFlightDrain>().DrainAsync(silo);

    /// <inheritdoc />
    public Task Flush(string clientId) => Moves.FlushAsync(clientId);

    /// <inheritdoc />
    public Task<SharedAnswer> Share(SharedBatch batch) => _sharedRepeats.Once(
        batch.Edge, batch.Number, SharedAnswer.Empty, () => services.GetRequiredService<SharedPlaces>().HandleAsync(batch));

    /// <inheritdoc />
    public Task<DropReport> Drops(DropQuery query) => Task.FromResult(services.GetRequiredService<DropLedger>().Find(query));

    /// <inheritdoc />
    public Task<MessageTrace> Trace(string messageId) =>
        // Elsewhere: it looks at every queue, and batches of other silos come in here meanwhile.
        Task.Run(() => MessageId.TryParse(messageId, out var id) ? services.GetRequiredService<MessageTracer>().FindHere(id) : new MessageTrace());

    // File access, elsewhere: batches of other silos come in here meanwhile.

    /// <inheritdoc />
    public Task<string> StartTrace(TraceSpec spec) => Task.Run(() => services.GetRequiredService<ITraces>().Start(spec) ?? "");

    /// <inheritdoc />
    public Task<bool> EndTrace(string name, bool remove) => Task.Run(() =>
        remove ? services.GetRequiredService<ITraces>().Remove(name) : services.GetRequiredService<ITraces>().Stop(name));

    /// <inheritdoc />
    public Task<TraceReport[]> Traces() => Task.Run(() => services.GetRequiredService<ITraces>().All());

    /// <inheritdoc />
    public Task<TracePart> ReadTrace(string name, long offset) => Task.Run(() => services.GetRequiredService<ITraces>().Read(name, offset));

    /// <inheritdoc />
    public Task Alarms(AlarmState[] states)
    {
        services.GetRequiredService<AlarmService>().Learn(states);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task<int> Connections() => Task.FromResult(services.GetRequiredService<ConnectionBalance>().Connections);

    /// <inheritdoc />
    public Task<int> Rebalance() => services.GetRequiredService<ConnectionBalance>().OwnAsync();

    /// <inheritdoc />
    public Task Forget(string clientId)
    {
        lifecycle.Forget(clientId);
        return Task.CompletedTask;
    }
}
