using System.Net;
using Broker.Grains.Cluster;
using Broker.Grains.Hosting;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Options;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Broker.Grains.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Grains.Tests.Cluster;

/// <summary>A silo from its store to its start in the cluster, without Orleans: the membership says what a test lets it say.</summary>
internal sealed class JoiningSilo : IAsyncDisposable, ILocalSiloDetails, IFatalErrorHandler, IClusterMembershipService
{
    private readonly ServiceProvider _services;
    private readonly CancellationTokenSource _stop = new();

    private JoiningSilo(string database)
    {
        Statuses = new SiloStatuses(SiloAddress);
        _services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<ILogger<ClusterStartup>>(Log)
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new SessionOptions())
            .AddSingleton(new SharedOptions())
            .AddSingleton(new StoreOptions())
            .AddSingleton(new LedgerOptions())
            .AddSingleton(new RetainedOptions())
            .AddSingleton(new DelayedOptions())
            .AddSingleton(new AlarmOptions())
            .AddSingleton(new HookOptions())
            .AddSingleton(new ClusterStoreOptions { ConnectionString = database, Cluster = "test" })
            .AddSingleton(new PostgresMessageStore(
                new PostgresStoreOptions { ConnectionString = database, IsShared = true }, NullLogger<PostgresMessageStore>.Instance))
            .AddSingleton<IMessageStore>(static s => s.GetRequiredService<PostgresMessageStore>())
            .AddSingleton<ISiloStatusOracle>(Statuses)
            .AddSingleton<ILocalSiloDetails>(this)
            .AddSingleton<IFatalErrorHandler>(this)
            .AddSingleton<IClusterMembershipService>(this)
            .AddBrokerGrains()
            .AddBrokerCluster()
            .AddSingleton<Func<SiloAddress, ISiloInbox>>(static _ => new RecordingInbox())
            .BuildServiceProvider();
    }

    /// <summary>What its start has said.</summary>
    public RecordingLogger<ClusterStartup> Log { get; } = new();

    /// <summary>The membership as the silo sees it.</summary>
    public SiloStatuses Statuses { get; }

    public SiloAddress SiloAddress { get; } = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1);

    public SiloAddress GatewayAddress => SiloAddress;

    public string Name => "local";

    public string ClusterId => "test";

    public string DnsHostName => "test";

    public ClusterMembershipSnapshot CurrentSnapshot => throw new NotSupportedException();

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

    /// <summary>A silo that is about to join: its store is not open yet.</summary>
    public static JoiningSilo On(string database) => new(database);

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public Task JoinAsync() => Get<ClusterStartup>().RunAsync(_stop.Token);

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    // Who is out of its time lives on: its machine has not said that the process has ended.
    public Task<bool> TryKill(SiloAddress siloAddress) => Task.FromResult(false);

    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender, string? context, Exception? exception) =>
        throw new InvalidOperationException($"The silo is not to end: {context}", exception);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _services.DisposeAsync();
        _stop.Dispose();
    }
}
