using Broker.Grains.Cluster;
using Broker.Grains.Storage;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <summary>Which session the database gives an exclusive subscription to.</summary>
public sealed class PostgresExclusiveTests : IAsyncLifetime, IAsyncDisposable
{
    private const string Filter = "$exclusive/a/+";

    private PostgresPair _pair = null!;
    private ClusterStore _here = null!;
    private ClusterStore _there = null!;

    public async Task InitializeAsync()
    {
        _pair = await PostgresPair.OpenAsync();
        _here = await JoinAsync(_pair.First.Owner, new ClusterStore(Options, _pair.First));
        _there = await JoinAsync(_pair.Second.Owner, new ClusterStore(Options, _pair.Second));
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _here.DisposeAsync();
        await _there.DisposeAsync();
        await _pair.DisposeAsync();
    }

    [Fact]
    public async Task Of_many_that_ask_at_once_one_gets_it()
    {
        for (var round = 0; round < 20; round++)
        {
            var filter = $"$exclusive/{round}";
            var granted = await Task.WhenAll(Enumerable.Range(1, 8).Select(
                i => (i % 2 == 0 ? _here : _there).ClaimExclusiveAsync(filter, $"c{i}", i, CancellationToken.None)));
            Assert.Single(granted, true);
        }
    }

    [Fact]
    public async Task Session_without_a_row_holds_it_as_long_as_its_silo_lives_or_until_it_is_given_back()
    {
        Assert.True(await ClaimAsync(_there, "a", 1));
        Assert.True(await ClaimAsync(_there, "a", 1));
        Assert.False(await ClaimAsync(_here, "b", 2));
        await _pair.Second.WriteAsync(batch => batch.ReleaseExclusive(99, Filter));
        Assert.False(await ClaimAsync(_here, "b", 2));
        await _pair.Second.WriteAsync(batch => batch.ReleaseExclusive(1, Filter));
        Assert.True(await ClaimAsync(_here, "b", 2));

        // The same client elsewhere; what its former session gives back is not its any more.
        Assert.True(await ClaimAsync(_there, "b", 3));
        await _pair.First.WriteAsync(batch => batch.ReleaseExclusive(2, Filter));
        Assert.False(await ClaimAsync(_here, "c", 4));

        await DieAsync(_pair.Second.Owner);
        Assert.True(await ClaimAsync(_here, "c", 4));
    }

    [Fact]
    public async Task Session_with_a_row_holds_it_as_long_as_it_subscribes_whoever_lives()
    {
        var session = await SubscribeAsync("a");
        await DieAsync(_pair.Second.Owner);
        Assert.False(await ClaimAsync(_here, "b", 2));
        await _here.PurgeExclusiveAsync(CancellationToken.None);
        Assert.False(await ClaimAsync(_here, "b", 2));

        await _pair.Second.WriteAsync(batch => batch.DeleteSubscription(session, Filter));
        Assert.Equal(0, await _pair.CountAsync("broker_exclusive"));
        Assert.True(await ClaimAsync(_here, "b", 2));
    }

    [Fact]
    public async Task Session_that_ends_holds_nothing_and_leaves_nothing_behind()
    {
        var session = await SubscribeAsync("a");
        await _pair.Second.WriteAsync(batch => batch.DeleteSession(session));
        Assert.True(await ClaimAsync(_here, "b", 2));

        await _pair.First.WriteAsync(batch => batch.ReleaseExclusive(2, Filter));
        session = await SubscribeAsync("c");
        await _pair.Second.WriteAsync(batch => batch.DeleteSession(session));
        await _here.PurgeExclusiveAsync(CancellationToken.None);
        Assert.Equal(0, await _pair.CountAsync("broker_exclusive"));
    }

    private static Task<bool> ClaimAsync(ClusterStore store, string clientId, long holder) =>
        store.ClaimExclusiveAsync(Filter, clientId, holder, CancellationToken.None);

    private ClusterStoreOptions Options => new() { ConnectionString = _pair.ConnectionString, Cluster = "test" };

    /// <summary>A session of the second silo claims it and subscribes.</summary>
    private async Task<long> SubscribeAsync(string clientId)
    {
        var session = await _pair.Second.NewSessionAsync(clientId);
        Assert.True(await ClaimAsync(_there, clientId, session));
        await _pair.Second.WriteAsync(batch => batch.PutSubscription(new SubscriptionRow(session, Filter, 1, 0)));
        return session;
    }

    private async Task<ClusterStore> JoinAsync(long owner, ClusterStore store)
    {
        await PostgresTestServer.ExecuteAsync(
            _pair.ConnectionString,
            $"""
            INSERT INTO broker_silo (owner, cluster, address, port, generation, alive_until)
                VALUES ({owner}, 'test', '127.0.0.1', {owner}, 1, clock_timestamp() + interval '1 hour')
            """);
        return store;
    }

    private Task DieAsync(long owner) => PostgresTestServer.ExecuteAsync(
        _pair.ConnectionString, $"UPDATE broker_silo SET alive_until = clock_timestamp() - interval '1 second' WHERE owner = {owner}");
}
