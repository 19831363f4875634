using Broker.Grains.Hosting;
using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Broker.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.TestingHost;
using Xunit;
using LocalSessions = Broker.Grains.Sessions.SessionTable;

namespace Broker.Grains.Tests.Topics;

/// <summary>Silos with sessions, a store each, and the grain directory of production; no sockets.</summary>
internal sealed class TopicCluster : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("topics").FullName;
    private readonly InProcessTestCluster _cluster;
    private int _node;

    private TopicCluster(short silos)
    {
        var builder = new InProcessTestClusterBuilder(silos);
#pragma warning disable ORLEANSEXP003 // The directory of production.
        builder.Options.UseDistributedGrainDirectory = true;
#pragma warning restore ORLEANSEXP003
        builder.ConfigureSilo((_, silo) => Configure(silo.Services, (ushort)Interlocked.Increment(ref _node)));
        _cluster = builder.Build();
    }

    public IReadOnlyList<InProcessSiloHandle> Silos => _cluster.Silos;

    public static async Task<TopicCluster> StartAsync(short silos = 2)
    {
        var cluster = new TopicCluster(silos);
        await cluster._cluster.DeployAsync();
        foreach (var silo in cluster.Silos)
        {
            await OpenAsync(silo);
        }

        return cluster;
    }

    public static T Get<T>(InProcessSiloHandle silo)
        where T : notnull => silo.ServiceProvider.GetRequiredService<T>();

    public ITopicGrain Topic(string filter) => Get<IGrainFactory>(Silos[0]).GetGrain<ITopicGrain>(GrainKeys.Topic(filter));

    public bool IsActive(string filter) => _cluster.TryGetGrainContext(Topic(filter).GetGrainId(), out _);

    /// <summary>A connected session that subscribes.</summary>
    public static async Task<RecordingLink> SubscribeAsync(
        InProcessSiloHandle silo, string clientId, QualityOfService qos, bool isDurable, params string[] filters)
    {
        var claim = new SessionClaim
        {
            CleanStart = true, ExpiryInterval = isDurable ? uint.MaxValue : 0, Version = ProtocolVersion.Mqtt5,
        };
        var grant = await Get<SessionLifecycle>(silo).ConnectAsync(clientId, claim);
        var session = Get<LocalSessions>(silo).Find(clientId)!;
        var link = new RecordingLink { Session = session };
        foreach (var filter in filters)
        {
            session.Subscribe(filter, (byte)qos, 0, out _);
        }

        Assert.True(session.Attach(link, grant.Epoch, ushort.MaxValue));
        return link;
    }

    public async Task<InProcessSiloHandle> AddSiloAsync()
    {
        var silo = await _cluster.StartAdditionalSiloAsync();
        await OpenAsync(silo);
        return silo;
    }

    public Task StopAsync(InProcessSiloHandle silo) => _cluster.StopSiloAsync(silo);

    public Task KillAsync(InProcessSiloHandle silo) => _cluster.KillSiloAsync(silo);

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    public static async Task UntilAsync(Func<bool> condition, Func<string> state)
    {
        var until = Environment.TickCount64 + 30_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < until, state());
            await Task.Delay(10);
        }
    }

    private static Task<RecoveredState> OpenAsync(InProcessSiloHandle silo) =>
        Get<IMessageStore>(silo).OpenAsync(CancellationToken.None);

    private void Configure(IServiceCollection services, ushort node)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new SessionOptions { MaxQueued = 100_000 });
        services.AddSingleton(new StoreOptions());
        services.AddSingleton(new RetainedOptions());
        services.AddSingleton(new LimitOptions());
        services.AddSingleton<StoreMetrics>();
        services.AddSingleton<IMessageStore>(s => new SqliteMessageStore(
            new SqliteStoreOptions { Path = Path.Combine(Directory.CreateDirectory(Path.Combine(_directory, $"{node}")).FullName, "broker.db") },
            NullLogger<SqliteMessageStore>.Instance,
            s.GetRequiredService<StoreMetrics>(),
            TimeProvider.System));
        services.AddBrokerGrains();
    }
}
