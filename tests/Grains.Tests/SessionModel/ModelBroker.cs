using Broker.Grains.Cluster;
using Broker.Grains.Delayed;
using Broker.Grains.Diagnostics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Recovery;
using Broker.Grains.Retained;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Grains.Wills;
using Broker.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Grains.Tests.SessionModel;

/// <summary>The broker's state on one silo, without sockets and grains, over rows that outlive it.</summary>
internal sealed class ModelBroker : IDisposable
{
    private readonly DropLedger _drops = new(TimeProvider.System, new LedgerOptions());
    private readonly SessionMetrics _metrics = new();
    private readonly SharedMetrics _sharedMetrics = new();
    private readonly AckGraceQueue _grace;
    private readonly PublisherRecords _records = new() { EndsWithRefusal = false };
    private readonly MessageIdSource _ids;

    public ModelBroker(MemoryRows rows, SessionOptions options, TimeSpan grace)
    {
        var storeOptions = new StoreOptions { AckGrace = grace };
        Rows = rows;
        Store = new MemoryStore(rows);
        _ids = new MessageIdSource(Store, TimeProvider.System);
        _grace = new AckGraceQueue(storeOptions);
        Assert.True(TopicPriorities.TryParse(options.TopicPriorities, out var priorities));
        var index = new FilterIndex<Subscription>();
        Assert.True(SharedStrategies.TryParse(new SharedOptions(), out var strategies));
        var shared = new SharedGroups(strategies, _sharedMetrics);
        Environment = new SessionEnvironment(
            options, storeOptions, Store, index, _drops, priorities!, TimeProvider.System,
            new SessionLog(NullLogger<Session>.Instance), _metrics, new LocalInterest(), shared);
        Sessions = new SessionTable(Environment);
        Retained = new RetainedMessages(new RetainedOptions(), _ids);
        Delayed = new DelayedMessages(Store, _ids, _drops, new DelayedOptions());
        Router = new MessageRouter(index, Retained, Store, _drops, shared, delayed: Delayed);
        Wills = new WillService(Router, Store, _ids, TimeProvider.System);
        var expiry = new SessionExpiryQueue();
        Lifecycle = new SessionLifecycle(Sessions, Environment, Wills, expiry);
        var recovery = new StateRecovery(Sessions, Retained, Wills, expiry, Lifecycle, options, shared, TimeProvider.System);
        recovery.ApplyAsync(rows.Recover() with { LastAlive = null }).GetAwaiter().GetResult();
    }

    public MemoryRows Rows { get; }

    public MemoryStore Store { get; }

    public SessionEnvironment Environment { get; }

    public SessionTable Sessions { get; }

    public SessionLifecycle Lifecycle { get; }

    public MessageRouter Router { get; }

    public RetainedMessages Retained { get; }

    public WillService Wills { get; }

    public DelayedMessages Delayed { get; }

    public DropLedger Drops => _drops;

    public SessionMetrics Metrics => _metrics;

    public long Dropped => Enum.GetValues<DropReason>().Sum(_drops.Count);

    /// <summary>Publishes as a connection does: route, wait, seal, dispatch. A publish that nothing waits for is acknowledged at once.</summary>
    /// <param name="publisher">The connection that it comes from; null: one that lasts.</param>
    public void Publish(string topic, int number, QualityOfService qos, IPublishWaiter waiter, PublisherRecords? publisher = null) =>
        Publish(ModelMessage.Of(topic, number, qos, _ids.Next(1)), waiter, publisher);

    /// <inheritdoc cref="Publish(string, int, QualityOfService, IPublishWaiter, PublisherRecords)" />
    public void Publish(ApplicationMessage message, IPublishWaiter waiter, PublisherRecords? publisher = null)
    {
        var order = publisher ?? _records;
        var source = new PublishSource(message) { Order = order };
        PublishRecord? record = null;
        Router.Route(ref source, null, ref record);
        if (record is null)
        {
            waiter.Published(ReasonCode.Success);
            return;
        }

        record.Wait(waiter);
        record.Seal();
        order.Dispatch(record, _grace);
    }

    /// <summary>A CONNECT as the client's grain handles it; the store commits whatever it waits for.</summary>
    public Task<(Session Session, SessionGrant Grant)> ConnectAsync(string clientId, bool cleanStart = false) => ConnectAsync(
        clientId, new SessionClaim { CleanStart = cleanStart, ExpiryInterval = 3600, Version = ProtocolVersion.Mqtt311 });

    /// <inheritdoc cref="ConnectAsync(string, bool)" />
    public async Task<(Session Session, SessionGrant Grant)> ConnectAsync(string clientId, SessionClaim claim)
    {
        var connecting = Lifecycle.ConnectAsync(clientId, claim);
        await CommitUntilAsync(connecting);
        return (Sessions.Find(clientId)!, await connecting);
    }

    public async Task CommitUntilAsync(Task task)
    {
        while (!task.IsCompleted)
        {
            Store.Commit();
            await Task.WhenAny(task, Task.Delay(1));
        }
    }

    public void Dispose()
    {
        _grace.Dispose();
        Delayed.Dispose();
        _drops.Dispose();
        _metrics.Dispose();
        _sharedMetrics.Dispose();
    }
}
