using System.Net;
using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Sessions;
using Broker.Grains.Storage.Postgres;
using Broker.Grains.Tests.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Cluster;

/// <summary>A silo that joins serves nobody before it knows where all sessions are: a publish through it would be lost to the others.</summary>
public sealed class JoinTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly SiloAddress _otherSilo = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 2), 2);
    private string _database = "";
    private JoiningSilo _silo = null!;
    private PostgresMessageStore _other = null!;

    public async Task InitializeAsync()
    {
        _database = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        _silo = JoiningSilo.On(_database);
        _other = new PostgresMessageStore(
            new PostgresStoreOptions { ConnectionString = _database, IsShared = true }, NullLogger<PostgresMessageStore>.Instance);
        await _other.OpenedAsync();
        await _other.NewSessionAsync("c");
        await PostgresTestServer.ExecuteAsync(
            _database, "INSERT INTO OrleansMembershipVersionTable (DeploymentId) VALUES ('test')");
        await AddMemberAsync(_silo.SiloAddress);
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task It_waits_for_the_interest_of_a_member_that_it_has_not_been_told_of()
    {
        await AddMemberAsync(_otherSilo);
        await AddOtherAsync("1 hour");
        var join = _silo.JoinAsync();
        var peers = _silo.Get<Peers>();
        await EventuallyAsync(() => join.IsCompleted || peers.Find(_otherSilo) is not null, "it knows the other silo or has joined");

        Assert.False(join.IsCompleted, $"{join.Exception}");
        Tell(peers);
        await join.WaitAsync(Limit);
        Assert.Null(_silo.Get<SessionTable>().Find("c"));
    }

    [Fact]
    public async Task It_waits_until_a_silo_that_is_dead_and_still_in_its_time_is_out_of_it_and_takes_over_its_sessions()
    {
        await AddOtherAsync("1 hour");
        var join = _silo.JoinAsync();
        await WaitsAsync(join);
        Assert.False(join.IsCompleted, $"{join.Exception}");

        await PostgresTestServer.ExecuteAsync(
            _database, $"UPDATE broker_silo SET alive_until = clock_timestamp() - interval '1 second' WHERE owner = {_other.Owner}");
        await join.WaitAsync(Limit);
        Assert.NotNull(_silo.Get<SessionTable>().Find("c"));
    }

    [Fact]
    public async Task It_waits_for_a_silo_that_was_declared_dead_after_the_database_had_it_among_the_living()
    {
        await AddMemberAsync(_otherSilo);
        await AddOtherAsync("1 hour");
        _silo.Statuses.Set(_otherSilo, SiloStatus.Dead);
        var join = _silo.JoinAsync();
        await WaitsAsync(join);
        Assert.False(join.IsCompleted, $"{join.Exception}");

        await PostgresTestServer.ExecuteAsync(
            _database,
            $"""
            UPDATE OrleansMembershipTable SET Status = 6 WHERE Generation = {_otherSilo.Generation};
            UPDATE broker_silo SET alive_until = clock_timestamp() - interval '1 second' WHERE owner = {_other.Owner}
            """);
        await join.WaitAsync(Limit);
        Assert.NotNull(_silo.Get<SessionTable>().Find("c"));
    }

    /// <summary>The other silo tells that it is interested in nothing.</summary>
    private void Tell(Peers peers) => _silo.Get<RemoteInterest>().Apply(
        peers.Find(_otherSilo)!, new InterestUpdate { Silo = _otherSilo, Number = 1, Added = [], Removed = [], IsComplete = true });

    /// <summary>Until it has looked around and says that it waits.</summary>
    private Task WaitsAsync(Task join) =>
        EventuallyAsync(() => join.IsCompleted || !_silo.Log.Lines.IsEmpty, "it waits, or has joined");

    private Task AddMemberAsync(SiloAddress silo) => PostgresTestServer.ExecuteAsync(
        _database,
        $"""
        INSERT INTO OrleansMembershipTable (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, StartTime, IAmAliveTime)
            VALUES ('test', '127.0.0.1', {silo.Endpoint.Port}, {silo.Generation}, 'silo', 'host', 3, now(), now())
        """);

    private Task AddOtherAsync(string aliveFor) => PostgresTestServer.ExecuteAsync(
        _database,
        $"""
        INSERT INTO broker_silo (owner, cluster, address, port, generation, alive_until) VALUES
            ({_other.Owner}, 'test', '127.0.0.1', {_otherSilo.Endpoint.Port}, {_otherSilo.Generation}, clock_timestamp() + interval '{aliveFor}')
        """);
}
