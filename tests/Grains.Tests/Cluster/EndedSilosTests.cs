using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Broker.Grains.Cluster;
using Broker.Grains.Tests.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

/// <summary>Of silos that others may not answer for, those whose process has ended are declared dead, and no other.</summary>
public sealed class EndedSilosTests : IAsyncLifetime, IAsyncDisposable
{
    private const long Ended = 101;
    private const long Frozen = 102;
    private const long InTime = 103;
    private const long Elsewhere = 104;

    // Two addresses of the test: somebody listens at one, nobody at the other.
    private readonly TcpListener _frozen = new(IPAddress.Loopback, 0);
    private readonly Socket _nobody = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Killer _membership = new();
    private PostgresPair _pair = null!;
    private ClusterStore _store = null!;

    public async Task InitializeAsync()
    {
        _pair = await PostgresPair.OpenAsync();
        _store = new ClusterStore(new ClusterStoreOptions { ConnectionString = _pair.ConnectionString, Cluster = "test" }, _pair.First);
        _frozen.Start();
        _nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        _frozen.Stop();
        _nobody.Dispose();
        await _store.DisposeAsync();
        await _pair.DisposeAsync();
    }

    [Fact]
    public async Task Silo_that_is_out_of_its_time_and_whose_machine_refuses_connections_is_declared_dead_and_no_other()
    {
        var nobody = ((IPEndPoint)_nobody.LocalEndPoint!).Port;
        await AddAsync(Ended, "test", nobody, "-1 second");
        await AddAsync(Frozen, "test", ((IPEndPoint)_frozen.LocalEndpoint).Port, "-1 second");
        await AddAsync(InTime, "test", nobody, "1 hour");
        await AddAsync(Elsewhere, "other", nobody, "-1 second");

        await using (var ended = new EndedSilos(_store, _membership, TimeProvider.System, NullLogger<EndedSilos>.Instance))
        {
            ended.Start();
            await _membership.Looked.WaitAsync(TimeSpan.FromSeconds(30));
        }

        Assert.Equal([SiloAddress.New(IPAddress.Loopback, nobody, (int)Ended)], _membership.Killed.Distinct());
    }

    [Fact]
    public async Task Out_of_their_time_are_also_silos_of_another_cluster_of_the_same_database()
    {
        await AddAsync(Ended, "test", 1, "-1 second");
        await AddAsync(InTime, "test", 1, "1 hour");
        await AddAsync(Elsewhere, "other", 1, "-1 second");

        Assert.Equal(
            [(Silo(Ended), true), (Silo(Elsewhere), false)],
            (await _store.UndecidedAsync(CancellationToken.None)).OrderBy(static u => u.Silo.Generation));

        static SiloAddress Silo(long owner) => SiloAddress.New(IPAddress.Loopback, 1, (int)owner);
    }

    /// <summary>A member of the cluster, as far as the database knows; its generation is its owner.</summary>
    private Task AddAsync(long owner, string cluster, int port, string aliveFor) => PostgresTestServer.ExecuteAsync(
        _pair.ConnectionString,
        $"""
        INSERT INTO broker_silo (owner, cluster, address, port, generation, alive_until)
            VALUES ({owner}, '{cluster}', '127.0.0.1', {port}, {owner}, clock_timestamp() + interval '{aliveFor}');
        INSERT INTO OrleansMembershipVersionTable (DeploymentId) VALUES ('{cluster}') ON CONFLICT DO NOTHING;
        INSERT INTO OrleansMembershipTable (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, StartTime, IAmAliveTime)
            VALUES ('{cluster}', '127.0.0.1', {port}, {owner}, 'silo', 'host', 3, now(), now())
        """);

    /// <summary>A membership that notes who is declared dead.</summary>
    private sealed class Killer : IClusterMembershipService
    {
        private readonly TaskCompletionSource _looked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<SiloAddress> Killed { get; } = [];

        /// <summary>Completes with the second declaration: then every silo has been looked at once, whatever their order.</summary>
        public Task Looked => _looked.Task;

        public ClusterMembershipSnapshot CurrentSnapshot => throw new NotSupportedException();

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task<bool> TryKill(SiloAddress siloAddress)
        {
            Killed.Enqueue(siloAddress);
            if (Killed.Count == 2)
            {
                _looked.TrySetResult();
            }

            return Task.FromResult(true);
        }
    }
}
