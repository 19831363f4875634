using System.Collections.Concurrent;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Broker.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>
/// What was reported is what is there: committed rows survive a crash of the server, and rows of writes that were reported as
/// failed are not there, also when the connection is lost in the middle of a commit.
/// </summary>
public sealed class PostgresOutageTests
{
    private const int Seed = 20_261_124;

    [Fact]
    public async Task Reports_are_true_when_the_server_crashes_under_load_again_and_again()
    {
        const int Crashes = 5;
        await using var server = await PostgresTestServer.StartNewAsync();
        var connectionString = await server.CreateDatabaseAsync();
        var random = new Random(Seed);
        var patience = TimeSpan.FromSeconds(1);
        var failed = await CheckReportsAsync(connectionString, patience, async () =>
        {
            for (var crash = 0; crash < Crashes; crash++)
            {
                await Task.Delay(random.Next(50, 400));
                await server.CrashAsync();

                // Longer than the patience, and shorter, in turn.
                await Task.Delay(crash % 2 == 0 ? 2 * patience : TimeSpan.Zero);
                await server.StartAsync();
            }
        });
        Assert.True(failed > 0, "what the server was away too long for was refused");
    }

    [Fact]
    public async Task Nothing_is_refused_when_connections_are_cut_at_random_moments()
    {
        var connectionString = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        var random = new Random(Seed);
        var failed = await CheckReportsAsync(connectionString, TimeSpan.FromSeconds(20), async () =>
        {
            for (var cut = 0; cut < 40; cut++)
            {
                await Task.Delay(random.Next(1, 60));
                await PostgresTestServer.ExecuteAsync(
                    connectionString,
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE application_name LIKE 'broker-writer%' AND datname = current_database()
                    """);
            }
        });
        Assert.Equal(0, failed);
    }

    [Fact]
    public async Task A_frozen_server_is_noticed_and_what_was_in_doubt_is_settled_when_it_goes_on()
    {
        await using var server = await PostgresTestServer.StartNewAsync();
        var connectionString = await server.CreateDatabaseAsync();
        await using var store = NewStore(connectionString, TimeSpan.FromSeconds(3));
        await store.OpenedAsync();
        var session = await store.NewSessionAsync("c");
        await server.FreezeAsync(frozen: true);
        var inDoubt = store.PostWrite(batch => batch.PutSubscription(new SubscriptionRow(session, "doubt", 0, 0)));
        await EventuallyAsync(() => !store.IsAvailable, "the silence is noticed");
        var kept = store.PostWrite(batch => batch.PutInboundId(session, 1), mustSucceed: true);
        await Assert.ThrowsAnyAsync<StoreException>(() => store.WriteAsync(batch => batch.PutLastAlive(1)));
        Assert.False(inDoubt.Done.IsCompleted);

        await server.FreezeAsync(frozen: false);
        await kept.Done.WaitAsync(TimeSpan.FromSeconds(30));
        await EventuallyAsync(() => inDoubt.Done.IsCompleted && store.IsAvailable, "the store recovers");

        var isThere = await PostgresTestServer.ScalarAsync<long>(
            connectionString, "SELECT count(*) FROM broker_subscription");
        Assert.Equal(inDoubt.Done.IsCompletedSuccessfully ? 1 : 0, isThere);
        Assert.Equal([new InboundRow(1, default)], await store.LoadInboundIdsAsync(session, CancellationToken.None));
    }

    [Fact]
    public async Task A_store_whose_server_is_frozen_is_closed_in_bounded_time()
    {
        await using var server = await PostgresTestServer.StartNewAsync();
        var connectionString = await server.CreateDatabaseAsync();
        var store = NewStore(connectionString, TimeSpan.FromSeconds(3));
        await store.OpenedAsync();
        var session = await store.NewSessionAsync("c");
        await server.FreezeAsync(frozen: true);
        var inDoubt = store.PostWrite(batch => batch.PutSubscription(new SubscriptionRow(session, "doubt", 0, 0)));

        // Its own patience for the writer and for the renewal, and the time to connect once more.
        await store.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        await server.FreezeAsync(frozen: false);
        await EventuallyAsync(() => inDoubt.Done.IsCompleted, "the write is reported in the end");
        var isThere = await PostgresTestServer.ScalarAsync<long>(connectionString, "SELECT count(*) FROM broker_subscription");
        Assert.True(isThere == 1 || inDoubt.Done.IsFaulted, "what was reported as committed is there");
    }

    [Fact]
    public async Task A_full_disk_refuses_with_the_right_reason_keeps_what_must_succeed_and_heals_by_itself()
    {
        var connectionString = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        await using var store = NewStore(connectionString, TimeSpan.FromSeconds(10));
        await store.OpenedAsync();
        var session = await store.NewSessionAsync("c");
        await PostgresTestServer.ExecuteAsync(
            connectionString,
            """
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
            CREATE TRIGGER no_room BEFORE INSERT ON broker_message EXECUTE FUNCTION no_room();
            CREATE TRIGGER no_room BEFORE INSERT ON broker_inbound EXECUTE FUNCTION no_room();
            """);
        var number = store.NextMessageNumber();
        var kept = store.PostWrite(batch => batch.PutInboundId(session, 7), mustSucceed: true);
        var error = await Assert.ThrowsAnyAsync<StoreException>(() => store.WriteAsync(batch =>
        {
            batch.PutMessage(number, Message(), 1);
            batch.PutDelivery(Delivery(session, 1, number));
        }));
        Assert.Equal(ReasonCode.QuotaExceeded, StoreErrors.ReasonFor(error));
        Assert.False(store.IsAvailable);
        Assert.False(kept.Done.IsCompleted);

        await PostgresTestServer.ExecuteAsync(
            connectionString, "DROP TRIGGER no_room ON broker_message; DROP TRIGGER no_room ON broker_inbound");
        await kept.Done.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal([new InboundRow(7, default)], await store.LoadInboundIdsAsync(session, CancellationToken.None));
        Assert.Empty(await store.SequencesAsync(session));
        await EventuallyAsync(() => store.IsAvailable, "the store recovers");
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named_in_one_line()
    {
        await using var store = NewStore("Host=127.0.0.1;Port=1;Username=u;Password=secret;Database=d", TimeSpan.FromSeconds(1));

        var error = await Assert.ThrowsAsync<StoreOpenException>(() => store.OpenedAsync());

        Assert.Equal(StoreOpenFailure.Unreachable, error.Failure);
        Assert.Contains("127.0.0.1:1/d", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.DoesNotContain("secret", error.Message + store.Description, StringComparison.Ordinal);
    }

    private static PostgresMessageStore NewStore(string connectionString, TimeSpan patience) => new(
        new PostgresStoreOptions { ConnectionString = connectionString, CommandTimeout = patience, ConnectTimeout = patience, OutagePatience = patience },
        NullLogger<PostgresMessageStore>.Instance);

    /// <summary>Two silos write single rows as fast as they are answered while <paramref name="disturb"/> runs.</summary>
    /// <returns>How many were refused; none of them is there.</returns>
    private static async Task<int> CheckReportsAsync(string connectionString, TimeSpan patience, Func<Task> disturb)
    {
        var committed = new ConcurrentBag<long>();
        var failed = new ConcurrentBag<long>();
        var gone = new ConcurrentBag<long>();
        using var stop = new CancellationTokenSource();
        await using var first = NewStore(connectionString, patience);
        await using var second = NewStore(connectionString, patience);
        var loads = new List<Task>();
        foreach (var store in new[] { first, second })
        {
            await store.OpenedAsync();
            var session = await store.NewSessionAsync($"c{store.NodeNumber}");
            for (var i = 0; i < 16; i++)
            {
                loads.Add(Task.Run(() => LoadAsync(store, session, committed, failed, gone, stop.Token)));
            }
        }

        await disturb();
        await stop.CancelAsync();
        await Task.WhenAll(loads).WaitAsync(TimeSpan.FromSeconds(60));

        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(
            "SELECT d.message FROM broker_delivery d JOIN broker_message m ON m.number = d.message ORDER BY 1");
        var present = new List<long>();
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                present.Add(reader.GetInt64(0));
            }
        }

        Assert.Equal(committed.Except(gone).Order(), present);
        Assert.Empty(failed.Intersect(present));
        Assert.Equal(
            present.Count, await PostgresTestServer.ScalarAsync<long>(connectionString, "SELECT count(*) FROM broker_message"));
        Assert.True(committed.Count > 100, $"committed {committed.Count}, failed {failed.Count}");
        return failed.Count;
    }

    private static async Task LoadAsync(
        PostgresMessageStore store,
        long session,
        ConcurrentBag<long> committed,
        ConcurrentBag<long> failed,
        ConcurrentBag<long> gone,
        CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var number = store.NextMessageNumber();
            var put = store.PostWrite(batch =>
            {
                if (batch.Owns(session, 1))
                {
                    batch.PutMessage(number, Message(), 1);
                    batch.PutDelivery(Delivery(session, number, number));
                }
            });
            try
            {
                await put.Done.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
            }
            catch (StoreException)
            {
                failed.Add(number);
                await Task.Delay(10, CancellationToken.None);
                continue;
            }

            committed.Add(number);
            if (number % 3 == 0)
            {
                // An acknowledgement: whatever happens, it succeeds in the end.
                await store.WriteAsync(batch => batch.DeleteDelivery(session, number, number), mustSucceed: true);
                gone.Add(number);
            }
        }
    }
}
