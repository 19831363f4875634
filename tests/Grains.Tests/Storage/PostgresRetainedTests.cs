using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>Retained messages that several silos write.</summary>
public sealed class PostgresRetainedTests
{
    private const int Topics = 5;

    [Fact]
    public async Task Of_what_two_silos_write_at_the_same_time_the_highest_version_stays()
    {
        await using var pair = await PostgresPair.OpenAsync();
        await using var cluster = Cluster(pair);
        var random = new Random(4711);
        List<(int Topic, ulong Version, bool Clears)> changes =
            [.. Enumerable.Range(1, 600).Select(i => (random.Next(Topics), (ulong)i, random.Next(3) == 0))];
        var shuffled = changes.ToArray();
        random.Shuffle(shuffled);
        await Task.WhenAll(shuffled.Select((change, i) => (i % 2 == 0 ? pair.First : pair.Second).WriteAsync(batch =>
        {
            // Also one that every batch has, in any order with the others: locks are taken in one order.
            Change(batch, change);
            Change(batch, (Topics, change.Version, false));
        })));

        var rows = await cluster.LoadRetainedAsync(CancellationToken.None);
        foreach (var topic in changes.GroupBy(static c => c.Topic))
        {
            var expected = topic.MaxBy(static c => c.Version);
            var row = Assert.Single(rows, row => row.Topic == $"t{topic.Key}");
            Assert.Equal((expected.Version, expected.Clears), (row.Message.Id.TimestampMicroseconds, row.IsCleared));
        }

        Assert.Equal(600ul, Assert.Single(rows, static row => row.Topic == $"t{Topics}").Message.Id.TimestampMicroseconds);
    }

    [Fact]
    public async Task A_clear_beats_an_older_message_that_another_silo_writes_later()
    {
        await using var pair = await PostgresPair.OpenAsync();
        await using var cluster = Cluster(pair);
        await pair.First.WriteAsync(static batch => batch.ClearRetained("a", new MessageId(5, 0)));
        await pair.Second.WriteAsync(static batch => batch.PutRetained("a", 1, Message("late", "a", id: 4)));

        var row = Assert.Single(await cluster.LoadRetainedAsync(CancellationToken.None));
        Assert.True(row.IsCleared);

        await pair.Second.WriteAsync(static batch => batch.PutRetained("a", 1, Message("newer", "a", id: 6)));
        Assert.False(Assert.Single(await cluster.LoadRetainedAsync(CancellationToken.None)).IsCleared);
    }

    [Fact]
    public async Task What_was_cleared_long_ago_is_forgotten_and_nothing_else()
    {
        await using var pair = await PostgresPair.OpenAsync();
        await using var cluster = Cluster(pair);
        await pair.First.WriteAsync(static batch =>
        {
            batch.ClearRetained("old", new MessageId(5, 0));
            batch.ClearRetained("set again by a silo of the version before", new MessageId(5, 0));
            batch.ClearRetained("fresh", new MessageId(5, 0));
            batch.PutRetained("set", 1, Message(id: 6));
        });
        await PostgresTestServer.ExecuteAsync(
            pair.ConnectionString,
            """
            UPDATE broker_retained SET cleared_at = now() - interval '11 minutes' WHERE topic IN ('old', 'set', 'set again by a silo of the version before');
            UPDATE broker_retained SET body = 'x' WHERE topic = 'set again by a silo of the version before'
            """);

        await cluster.PurgeClearedAsync(CancellationToken.None);

        Assert.Equal(
            ["fresh", "set", "set again by a silo of the version before"],
            (await cluster.LoadRetainedAsync(CancellationToken.None)).Select(static row => row.Topic).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_one_silo_has_set_and_cleared_is_read_by_its_node_number()
    {
        await using var pair = await PostgresPair.OpenAsync();
        await using var cluster = Cluster(pair);
        const ushort Node = 0x1203;
        await pair.First.WriteAsync(static batch =>
        {
            batch.ClearRetained("cleared", Id(5, Node));
            batch.PutRetained("set", 1, WithId(Id(6, Node)));
            batch.PutRetained("before", 2, WithId(Id(4, Node)));
            batch.PutRetained("other", 3, WithId(Id(6, 0x0312)));
        });

        var rows = await cluster.LoadRetainedAsync(Node, new MessageId(5, 0), CancellationToken.None);
        Assert.Equal(["cleared", "set"], rows.Select(static row => row.Topic).Order(StringComparer.Ordinal));

        static MessageId Id(ulong time, ushort node) => new(time, ((ulong)node << 48) | 77);
        static ApplicationMessage WithId(MessageId id) => new(Message().Bytes.ToArray(), 3, 0) { Id = id };
    }

    private static void Change(IStoreBatch batch, (int Topic, ulong Version, bool Clears) change)
    {
        var topic = $"t{change.Topic}";
        if (change.Clears)
        {
            batch.ClearRetained(topic, new MessageId(change.Version, 2));
        }
        else
        {
            batch.PutRetained(topic, change.Topic, Message($"{change.Version}", topic, change.Version));
        }
    }

    private static ClusterStore Cluster(PostgresPair pair) => new(
        new ClusterStoreOptions { ConnectionString = pair.ConnectionString, Cluster = "test" }, pair.First);
}
