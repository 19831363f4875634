using System.Collections.Concurrent;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>Numbers that several silos must not share.</summary>
public sealed class PostgresNumbersTests
{
    [Fact]
    public async Task Two_silos_never_get_the_same_number_and_each_sees_them_ascend()
    {
        const int Threads = 4;
        const int Numbers = 3000;
        await using var pair = await PostgresPair.OpenAsync(
            "ALTER SEQUENCE broker_message_number INCREMENT BY 256; ALTER SEQUENCE broker_session_number INCREMENT BY 64");
        var messages = new ConcurrentBag<long>();
        var sessions = new ConcurrentBag<long>();
        var ascends = new ConcurrentBag<bool>();
        var threads = Enumerable.Range(0, Threads).Select(i => Task.Factory.StartNew(
            () =>
            {
                var store = i % 2 == 0 ? pair.First : pair.Second;
                var (lastMessage, lastSession) = (0L, 0L);
                for (var n = 0; n < Numbers; n++)
                {
                    var message = store.NextMessageNumber();
                    var session = store.NextSessionNumber();
                    ascends.Add(message > lastMessage && session > lastSession);
                    (lastMessage, lastSession) = (message, session);
                    messages.Add(message);
                    sessions.Add(session);
                }
            },
            TaskCreationOptions.LongRunning));
        await Task.WhenAll(threads).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.All(ascends, Assert.True);
        Assert.Equal(Threads * Numbers, messages.Distinct().Count());
        Assert.Equal(Threads * Numbers, sessions.Distinct().Count());
    }

    [Fact]
    public async Task Living_silos_have_different_node_numbers_and_a_new_one_does_not_get_the_last_freed()
    {
        await using var pair = await PostgresPair.OpenAsync();
        var freed = pair.NewStore();
        await freed.OpenedAsync();
        var freedNumber = freed.NodeNumber;
        await freed.DisposeAsync();
        await using var next = pair.NewStore();
        await next.OpenedAsync();

        var numbers = new[] { pair.First.NodeNumber, pair.Second.NodeNumber, freedNumber, next.NodeNumber };
        Assert.Equal(4, numbers.Distinct().Count());
        Assert.DoesNotContain((ushort)0, numbers);
    }

    [Fact]
    public async Task When_all_numbers_were_given_the_one_that_is_free_for_longest_comes_again()
    {
        await using var pair = await PostgresPair.OpenAsync(
            """
            INSERT INTO broker_node SELECT n, -n, 0, 0, now() + interval '1 hour' FROM generate_series(1, 65535) n;
            UPDATE broker_node SET leased_until = now() - interval '1 minute' WHERE number IN (7, 8, 9);
            UPDATE broker_node SET leased_until = now() - interval '2 minutes' WHERE number = 4711;
            """);

        Assert.Equal(4711, pair.First.NodeNumber);
        Assert.Contains(pair.Second.NodeNumber, new ushort[] { 7, 8, 9 });
        await using var third = pair.NewStore();
        await using var fourth = pair.NewStore();
        await using var fifth = pair.NewStore();
        await third.OpenedAsync();
        await fourth.OpenedAsync();
        await Assert.ThrowsAnyAsync<StoreException>(() => fifth.OpenedAsync());
    }

    [Fact]
    public async Task A_silo_whose_number_was_given_away_takes_another_and_goes_on()
    {
        await using var pair = await PostgresPair.OpenAsync();
        var before = pair.First.NodeNumber;
        await PostgresTestServer.ExecuteAsync(
            pair.ConnectionString, $"UPDATE broker_node SET owner = -1 WHERE number = {before}");

        await pair.First.NewSessionAsync("c");

        Assert.NotEqual(before, pair.First.NodeNumber);
        Assert.NotEqual(pair.Second.NodeNumber, pair.First.NodeNumber);
        Assert.True(pair.First.IsAvailable);
        Assert.NotNull(await pair.First.LoadSessionAsync("c", CancellationToken.None));
    }

    [Fact]
    public async Task An_idle_silo_notices_that_its_number_was_given_away()
    {
        await using var pair = await PostgresPair.OpenAsync();
        await using var idle = pair.NewStore(nodeLease: TimeSpan.FromMilliseconds(300));
        await idle.OpenedAsync();
        var before = idle.NodeNumber;
        await PostgresTestServer.ExecuteAsync(
            pair.ConnectionString, $"UPDATE broker_node SET owner = -1 WHERE number = {before}");

        await EventuallyAsync(() => idle.NodeNumber != before, "another node number");
    }

    [Fact]
    public async Task A_silo_of_a_cluster_that_slept_until_another_got_its_number_commits_nothing_under_it()
    {
        await using var pair = await PostgresPair.OpenAsync(
            """
            INSERT INTO broker_node SELECT n, -n, 0, 0, now() + interval '1 hour' FROM generate_series(1, 65535) n;
            UPDATE broker_node SET leased_until = now() - interval '1 minute' WHERE number IN (7, 8, 9);
            """);
        await using var sleeper = NewShared(pair);
        await sleeper.OpenedAsync();
        await sleeper.WriteAsync(static batch => batch.PutLastAlive(1));
        await PostgresTestServer.ExecuteAsync(
            pair.ConnectionString, $"UPDATE broker_node SET leased_until = now() - interval '1 second' WHERE number = {sleeper.NodeNumber}");
        await using var next = NewShared(pair);
        await next.OpenedAsync();
        Assert.Equal(sleeper.NodeNumber, next.NodeNumber);
        Assert.NotEqual(sleeper.Owner, next.Owner);

        // It wakes up: what it numbers from here on is in no message that anybody acknowledges.
        await Assert.ThrowsAnyAsync<StoreException>(() => sleeper.WriteAsync(batch => batch.PutRetained("a", 1, Message())));
        await Assert.ThrowsAnyAsync<StoreException>(() => sleeper.NewSessionAsync("c"));

        await next.WriteAsync(static batch => batch.PutRetained("b", 1, Message()));
        Assert.Equal("b", await PostgresTestServer.ScalarAsync<string>(pair.ConnectionString, "SELECT topic FROM broker_retained"));
        Assert.Equal(0, await pair.CountAsync("broker_session"));
    }

    private static PostgresMessageStore NewShared(PostgresPair pair) => new(
        new PostgresStoreOptions { ConnectionString = pair.ConnectionString, IsShared = true }, NullLogger<PostgresMessageStore>.Instance);
}
