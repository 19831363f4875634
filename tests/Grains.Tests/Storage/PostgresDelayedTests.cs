using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>Delayed messages of several silos in one database.</summary>
public sealed class PostgresDelayedTests : IAsyncLifetime, IAsyncDisposable
{
    // Of a process that is out of its time and no member.
    private const long Dead = 999_999;

    private PostgresPair _pair = null!;
    private ClusterStore _store = null!;

    public async Task InitializeAsync()
    {
        _pair = await PostgresPair.OpenAsync();
        _store = _pair.NewCluster();
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _pair.DisposeAsync();
    }

    [Fact]
    public async Task Each_silo_finds_its_own_and_takes_over_those_of_dead_ones()
    {
        await _pair.First.WriteAsync(batch => batch.PutDelayed(new DelayedRow(1, Message(id: 1))));
        await _pair.Second.WriteAsync(batch =>
        {
            for (var id = 2UL; id < 7; id++)
            {
                batch.PutDelayed(new DelayedRow(1, Message(id: id)));
            }
        });
        Assert.Equal([1UL], await DueAsync());

        Assert.Equal(default, await _store.AdoptDelayedAsync(100, CancellationToken.None));
        await PostgresTestServer.ExecuteAsync(
            _pair.ConnectionString,
            $"""
            INSERT INTO broker_silo (owner, cluster, address, port, generation, alive_until)
                VALUES ({Dead}, 'test', '127.0.0.1', 1, 1, clock_timestamp() - interval '1 second');
            UPDATE broker_delayed SET owner = {Dead} WHERE owner <> {_pair.First.Owner};
            """);

        Assert.Equal(new DelayedSummary(3, 3 * 10), await _store.AdoptDelayedAsync(3, CancellationToken.None));
        Assert.Equal(new DelayedSummary(2, 2 * 10), await _store.AdoptDelayedAsync(3, CancellationToken.None));
        Assert.Equal(default, await _store.AdoptDelayedAsync(3, CancellationToken.None));
        Assert.Equal([1UL, 2, 3, 4, 5, 6], await DueAsync());
        Assert.Equal(new DelayedSummary(6, 60), await _pair.First.SummarizeDelayedAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Message_that_is_on_its_way_to_other_silos_may_be_repeated_until_its_row_has_gone()
    {
        var (id, publishedAs) = (new MessageId(1, 2), new MessageId(5, 2));
        await _pair.First.WriteAsync(batch => batch.PutDelayed(new DelayedRow(1, Message(id: 1))));
        Assert.Empty(await _store.RepeatableAsync([id, publishedAs], CancellationToken.None));

        await _pair.First.WriteAsync(batch => batch.MarkDelayed(id, publishedAs));
        Assert.Equal([publishedAs], await _store.RepeatableAsync([id, publishedAs], CancellationToken.None));

        await _pair.First.WriteAsync(batch => batch.DeleteDelayed(id));
        Assert.Empty(await _store.RepeatableAsync([id, publishedAs], CancellationToken.None));
    }

    [Fact]
    public async Task What_is_due_is_a_range_of_an_index()
    {
        await PostgresTestServer.ExecuteAsync(
            _pair.ConnectionString,
            """
            INSERT INTO broker_delayed (id, owner, due, flags, publisher, topic_length, properties_length, body)
                SELECT gen_random_uuid(), 1, n, 1, 'p', 1, 0, 't' FROM generate_series(1, 20000) n;
            ANALYZE broker_delayed;
            """);

        var plan = await PostgresTestServer.ScalarAsync<string>(
            _pair.ConnectionString,
            "EXPLAIN (FORMAT JSON) SELECT id FROM broker_delayed WHERE owner = 1 AND due > -1 AND due <= 10 ORDER BY due, id LIMIT 5");
        Assert.Contains("broker_delayed_due", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
    }

    private async Task<IEnumerable<ulong>> DueAsync() =>
        (await _pair.First.FindDelayedAsync(long.MinValue, long.MaxValue, 100, CancellationToken.None)).Select(static key => key.Id.High).Order();
}
