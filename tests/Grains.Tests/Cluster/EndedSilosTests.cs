using System.Net;
using System.Net.Sockets;
using Broker.Grains.Cluster;
using Broker.Grains.Tests.Alarms;
using Broker.Grains.Tests.Storage;
using Microsoft.Extensions.Logging;
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

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // Two addresses of the test: somebody listens at one, nobody at the other.
    private readonly TcpListener _frozen = new(IPAddress.Loopback, 0);
    private readonly Socket _nobody = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Killer _membership = new();
    private PostgresPair _pair = null!;
    private readonly Listening _logger = new();
    private ClusterStoreOptions _options = null!;
    private ClusterStore _store = null!;

    public async Task InitializeAsync()
    {
        _pair = await PostgresPair.OpenAsync();
        // The time between two looks is not what this is about.
        _options = new ClusterStoreOptions { ConnectionString = _pair.ConnectionString, Cluster = "test", SiloTime = TimeSpan.FromHours(1) };
        _store = new ClusterStore(_options, _pair.First);
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

        await using (var ended = NewEnded(TimeProvider.System))
        {
            ended.Start();
            await _membership.Looked.WaitAsync(Limit);
        }

        Assert.Equal([SiloAddress.New(IPAddress.Loopback, nobody, (int)Ended)], _membership.Killed.Distinct());
    }

    [Fact]
    public async Task Silo_that_is_out_of_its_time_for_too_long_is_given_up_counted_from_the_last_look_that_failed()
    {
        await AddAsync(Frozen, "test", ((IPEndPoint)_frozen.LocalEndpoint).Port, "-1 second");
        await AddAsync(InTime, "test", 1, "1 hour");
        await AddAsync(Elsewhere, "other", 1, "-1 second");
        var time = new ManualTime();
        await using (var ended = NewEnded(time))
        {
            ended.Start();
            await LookedAsync();
            await SetMembersAsync("RAISE EXCEPTION 'out of reach';");
            await _logger.Failed.WaitAsync(Limit);
            while (_frozen.Pending())
            {
                await LookedAsync();
            }

            time.Pass(_options.GiveUpAfter);
            await SetMembersAsync("RETURN true;");
            await LookedAsync();
            await LookedAsync();
            Assert.Empty(_membership.Killed);

            time.Pass(_options.GiveUpAfter);
            while (_membership.Killed.IsEmpty)
            {
                await LookedAsync();
            }
        }

        Assert.Equal([SiloAddress.New((IPEndPoint)_frozen.LocalEndpoint, (int)Frozen)], _membership.Killed.Distinct());
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

    private EndedSilos NewEnded(TimeProvider cutOff) => new(
        _store,
        _membership,
        new CutOffSilos(_membership, _options, static () => TimeSpan.MaxValue, cutOff, NullLogger<CutOffSilos>.Instance),
        TimeProvider.System,
        _logger);

    /// <summary>The silo that is frozen has been looked at once more.</summary>
    private async Task LookedAsync()
    {
        using var look = await _frozen.AcceptSocketAsync().WaitAsync(Limit);
    }

    private Task SetMembersAsync(string body) => PostgresTestServer.ExecuteAsync(
        _pair.ConnectionString,
        $"""
        CREATE OR REPLACE FUNCTION broker_is_member(p_owner bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
        BEGIN {body} END
        $$
        """);

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

    /// <summary>Hears of a look that has failed.</summary>
    private sealed class Listening : ILogger<EndedSilos>
    {
        private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Failed => _failed.Task;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Debug)
            {
                _failed.TrySetResult();
            }
        }
    }
}
