using System.Net;
using Broker.Grains.Cluster;
using Broker.Grains.Delayed;
using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Recovery;
using Broker.Grains.Retained;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Grains.Storage.Postgres;
using Broker.Grains.Tests.Alarms;
using Broker.Grains.Tests.Storage;
using Broker.Grains.Topics;
using Broker.Grains.Wills;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

/// <summary>
/// Sessions and Wills of a silo over a real database, with what takes over those of another silo, whose store is there and which
/// dies when the test says so.
/// </summary>
internal sealed class AdoptingSilo : IAsyncDisposable
{
    private readonly DropLedger _drops = new(TimeProvider.System, new LedgerOptions());
    private readonly SessionMetrics _metrics = new();
    private readonly SharedMetrics _sharedMetrics = new();
    private readonly LiveSilos _silos = new(new SiloStatuses(SiloAddress.New(IPAddress.Loopback, 1, 1)));
    private readonly PostgresPair _pair;
    private readonly DelayedMessages _delayed;
    private readonly Peers _peers;

    private AdoptingSilo(PostgresPair pair)
    {
        _pair = pair;
        Cluster = pair.NewCluster();
        Assert.True(TopicPriorities.TryParse("", out var priorities));
        Assert.True(SharedStrategies.TryParse(new SharedOptions(), out var strategies));
        var (options, storeOptions, local) = (new SessionOptions(), new StoreOptions(), new LocalInterest());
        var index = new FilterIndex<Subscription>();
        var shared = new SharedGroups(strategies, _sharedMetrics);
        var environment = new SessionEnvironment(
            options, storeOptions, Store, index, _drops, priorities!, Time,
            new SessionLog(NullLogger<Session>.Instance), _metrics, local, shared);
        Sessions = new SessionTable(environment);
        var ids = new MessageIdSource(Store, Time);
        var retained = new RetainedMessages(new RetainedOptions());
        _delayed = new DelayedMessages(Store, ids, _drops, new DelayedOptions());
        Router = new MessageRouter(index, retained, Store, _drops, shared, delayed: _delayed);
        Wills = new WillService(Router, Store, ids, Time);
        var expiry = new SessionExpiryQueue();
        Lifecycle = new SessionLifecycle(Sessions, environment, Wills, expiry);
        _peers = new Peers(static _ => throw new NotSupportedException("There is no other silo."), _silos, local, TimeProvider.System);
        Recovery = new StateRecovery(Sessions, retained, Wills, expiry, Lifecycle, options, shared, Time);
        Adoption = new SessionAdoption(
            Cluster, Store, Recovery, new Adoptions(_peers, _silos), Sessions, _delayed, Time, NullLogger<SessionAdoption>.Instance);
    }

    public PostgresMessageStore Store => _pair.First;

    /// <summary>The store of the silo that dies.</summary>
    public PostgresMessageStore Other => _pair.Second;

    public ClusterStore Cluster { get; }

    /// <summary>The silo's clock; it has nothing to do with that of the database.</summary>
    public ManualTime Time { get; } = new();

    public MessageRouter Router { get; }

    public StateRecovery Recovery { get; }

    public SessionTable Sessions { get; }

    public SessionLifecycle Lifecycle { get; }

    public WillService Wills { get; }

    public SessionAdoption Adoption { get; }

    public string Database => _pair.ConnectionString;

    public static async Task<AdoptingSilo> StartAsync()
    {
        var pair = await PostgresPair.OpenAsync();
        await PostgresTestServer.ExecuteAsync(
            pair.ConnectionString,
            $"""
            INSERT INTO broker_silo (owner, cluster, address, port, generation, alive_until)
                SELECT owner, 'test', '127.0.0.1', owner, 1, clock_timestamp() + interval '1 hour'
                FROM unnest(ARRAY[{pair.First.Owner}, {pair.Second.Owner}]) AS o (owner)
            """);
        return new AdoptingSilo(pair);
    }

    /// <summary>The other silo is no member, and has been out of its time for so long.</summary>
    public Task OtherDiesAsync(string ago = "1 second") => ExecuteAsync(
        $"UPDATE broker_silo SET alive_until = clock_timestamp() - interval '{ago}' WHERE owner = {Other.Owner}");

    public Task ExecuteAsync(string sql) => PostgresTestServer.ExecuteAsync(Database, sql);

    public Task<long> CountAsync(string table) => _pair.CountAsync(table);

    public async ValueTask DisposeAsync()
    {
        Adoption.Dispose();
        _peers.Dispose();
        _silos.Dispose();
        await Cluster.DisposeAsync();
        await _pair.DisposeAsync();
        _delayed.Dispose();
        _drops.Dispose();
        _metrics.Dispose();
        _sharedMetrics.Dispose();
    }
}
