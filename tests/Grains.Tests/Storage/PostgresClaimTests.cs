using Broker.Grains.Storage;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <summary>A session moves to another silo only from who it was seen with, as it was seen (docs/cluster.md).</summary>
public sealed class PostgresClaimTests
{
    [Fact]
    public async Task Session_whose_client_is_back_where_it_was_is_not_taken_away()
    {
        await using var pair = await PostgresPair.OpenAsync();
        await using var store = pair.NewCluster();
        var session = await pair.Second.NewSessionAsync("c");
        var seen = (await store.FindAsync("c", CancellationToken.None))!;
        Assert.Equal(session, seen.Number);

        // A CONNECT at the former silo, which is acknowledged with this commit.
        await pair.Second.WriteAsync(batch => batch.PutSession(new SessionRow(
            session, "c", seen.Epoch + 1, uint.MaxValue, null, 0, ProtocolVersion.Mqtt5)));
        Assert.Empty(await store.ClaimAsync([(session, seen.Owner, seen.Epoch)], CancellationToken.None));
        Assert.False(store.IsOwn((await store.FindAsync("c", CancellationToken.None))!));

        // Seen again as it is now, it moves; and once only.
        var now = (await store.FindAsync("c", CancellationToken.None))!;
        Assert.Equal([session], await store.ClaimAsync([(session, now.Owner, now.Epoch)], CancellationToken.None));
        Assert.True(store.IsOwn((await store.FindAsync("c", CancellationToken.None))!));
        Assert.Empty(await store.ClaimAsync([(session, now.Owner, now.Epoch)], CancellationToken.None));
    }

    [Fact]
    public async Task Connect_that_comes_after_the_move_is_refused_where_the_session_was()
    {
        await using var pair = await PostgresPair.OpenAsync();
        await using var store = pair.NewCluster();
        var session = await pair.Second.NewSessionAsync("c");
        var seen = (await store.FindAsync("c", CancellationToken.None))!;
        Assert.Equal([session], await store.ClaimAsync([(session, seen.Owner, seen.Epoch)], CancellationToken.None));

        await Assert.ThrowsAnyAsync<StoreException>(() => pair.Second.WriteAsync(batch => batch.PutSession(new SessionRow(
            session, "c", seen.Epoch + 1, uint.MaxValue, null, 0, ProtocolVersion.Mqtt5))));
    }
}
