using System.Net;
using Broker.Grains.Cluster;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>A silo is in its time or shut out, and never both: the database decides which came first (promise 4).</summary>
public sealed class PostgresSiloTimeTests : IAsyncLifetime, IAsyncDisposable
{
    private const string Renew = "SELECT broker_renew((SELECT owner FROM broker_silo), interval '1 hour')";
    private const string Die = "UPDATE OrleansMembershipTable SET Status = 6";

    private readonly SiloAddress _silo = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1);
    private string _database = "";
    private PostgresMessageStore _messages = null!;
    private ClusterStore _store = null!;

    public async Task InitializeAsync()
    {
        _database = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        _messages = new PostgresMessageStore(
            new PostgresStoreOptions { ConnectionString = _database, IsShared = true }, NullLogger<PostgresMessageStore>.Instance);
        await _messages.OpenedAsync();
        _store = new ClusterStore(new ClusterStoreOptions { ConnectionString = _database, Cluster = "test" }, _messages);
        await _store.RegisterAsync(_silo, CancellationToken.None);
        await PostgresTestServer.ExecuteAsync(
            _database,
            """
            INSERT INTO OrleansMembershipVersionTable (DeploymentId) VALUES ('test');
            INSERT INTO OrleansMembershipTable (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, StartTime, IAmAliveTime)
                VALUES ('test', '127.0.0.1', 1, 1, 'silo', 'host', 3, now(), now())
            """);
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _messages.DisposeAsync();
    }

    [Fact]
    public async Task A_member_renews_its_time_and_one_that_is_dead_and_out_of_it_is_shut_out()
    {
        await EndTimeAsync();
        Assert.False(await _store.AreFencedAsync([_silo], CancellationToken.None));
        Assert.True(await _store.RenewAsync(CancellationToken.None));

        await PostgresTestServer.ExecuteAsync(_database, Die);
        Assert.False(await _store.AreFencedAsync([_silo], CancellationToken.None));
        await EndTimeAsync();
        Assert.True(await _store.AreFencedAsync([_silo], CancellationToken.None));
        Assert.False(await _store.RenewAsync(CancellationToken.None));
        await Assert.ThrowsAnyAsync<StoreException>(() => _messages.WriteAsync(batch => batch.PutLastAlive(1)));
    }

    [Fact]
    public async Task A_silo_whose_renewal_is_under_way_is_not_shut_out_by_what_it_was_before()
    {
        await EndTimeAsync();
        await using var renewal = await BeginAsync(Renew);
        await PostgresTestServer.ExecuteAsync(_database, Die);
        var fenced = _store.AreFencedAsync([_silo], CancellationToken.None);
        await WaitsOrEndsAsync(fenced);
        await renewal.CommitAsync();

        Assert.False(await fenced);
        await _messages.WriteAsync(batch => batch.PutLastAlive(1));
    }

    [Fact]
    public async Task A_silo_that_is_just_being_shut_out_is_not_renewed_because_it_was_a_member_when_it_asked()
    {
        await EndTimeAsync();
        await using var fence = await BeginAsync($"{Die}; SELECT broker_fence()");
        var renewed = _store.RenewAsync(CancellationToken.None);
        await WaitsOrEndsAsync(renewed);
        await fence.CommitAsync();

        Assert.False(await renewed);
    }

    [Fact]
    public async Task A_silo_without_its_node_number_is_not_renewed_whatever_the_membership_says()
    {
        await PostgresTestServer.ExecuteAsync(_database, "UPDATE broker_node SET owner = -owner");
        Assert.False(await _store.RenewAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_transaction_in_the_middle_of_which_its_silo_was_frozen_is_ended_when_the_silo_is_shut_out()
    {
        // It holds the row and is never gone on with; the connection is as alive as the kernel of the frozen process.
        await using var frozen = await BeginAsync(
            "SELECT set_config('application_name', 'broker-writer ' || (SELECT owner FROM broker_silo) || ' frozen', false); SELECT FROM broker_node FOR UPDATE");
        await PostgresTestServer.ExecuteAsync(_database, Die);
        await EndTimeAsync();

        Assert.True(await _store.AreFencedAsync([_silo], CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5)));
        await Assert.ThrowsAnyAsync<NpgsqlException>(frozen.CommitAsync);
    }

    [Fact]
    public async Task A_transaction_of_another_database_whose_silo_has_the_same_number_goes_on()
    {
        var other = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        await using var transaction = await BeginAsync(
            $"SELECT set_config('application_name', 'broker-writer {_messages.Owner} there', false); SELECT FROM broker_node FOR UPDATE", other);
        await PostgresTestServer.ExecuteAsync(_database, Die);
        await EndTimeAsync();

        Assert.True(await _store.AreFencedAsync([_silo], CancellationToken.None));
        await transaction.CommitAsync();
    }

    [Fact]
    public async Task The_connection_of_the_writer_says_whose_it_is()
    {
        Assert.Equal(1, await WritersAsync());
        await PostgresTestServer.ExecuteAsync(
            _database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'broker-writer %' AND datname = current_database()");
        await _messages.WriteAsync(batch => batch.PutLastAlive(1));
        Assert.Equal(1, await WritersAsync());
    }

    private Task<long> WritersAsync() => PostgresTestServer.ScalarAsync<long>(
        _database, "SELECT count(*) FROM pg_stat_activity, broker_silo WHERE application_name LIKE 'broker-writer ' || owner || ' %' AND datname = current_database()");

    private Task EndTimeAsync() => PostgresTestServer.ExecuteAsync(
        _database, "UPDATE broker_silo SET alive_until = clock_timestamp() - interval '1 second'");

    /// <summary>Something that has happened and is not committed yet.</summary>
    private async Task<Transaction> BeginAsync(string sql, string? database = null)
    {
        var connection = new NpgsqlConnection((database ?? _database) + ";Pooling=false");
        await connection.OpenAsync();
        var transaction = new Transaction(connection, await connection.BeginTransactionAsync());
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
        return transaction;
    }

    /// <summary>Until it waits for the other transaction, or has not done so.</summary>
    private Task WaitsOrEndsAsync(Task work) => EventuallyAsync(
        () => work.IsCompleted || PostgresTestServer.ScalarAsync<long>(
            _database,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Result > 0,
        "the other one has had its turn");

    private sealed class Transaction(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
    {
        public Task CommitAsync() => transaction.CommitAsync();

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
