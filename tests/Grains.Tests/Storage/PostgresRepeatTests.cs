using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <summary>What the database says about publishes that may come again, and about who has them (promise 2).</summary>
public sealed class PostgresRepeatTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly MessageId Id = new(0x0102030405060708, 0x090A0B0C0D0E0F10);

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
    public async Task Packet_id_keeps_the_id_of_its_message_until_it_is_released()
    {
        var publisher = await _pair.First.NewSessionAsync("p");
        await _pair.First.WriteAsync(batch =>
        {
            batch.PutInboundId(publisher, 7, Id);
            batch.PutInboundId(publisher, 8);
        });

        Assert.Equal(
            [new InboundRow(7, Id), new InboundRow(8, MessageId.None)],
            await _pair.First.LoadInboundIdsAsync(publisher, CancellationToken.None));
        Assert.Equal([Id], await _store.RepeatableAsync([Id, new MessageId(1, 1)], CancellationToken.None));

        await _pair.First.WriteAsync(batch => batch.DeleteInboundId(publisher, 7));
        Assert.Empty(await _store.RepeatableAsync([Id], CancellationToken.None));
    }

    [Fact]
    public async Task Packet_ids_of_a_session_that_ends_cannot_be_repeated()
    {
        var publisher = await _pair.First.NewSessionAsync("p");
        await _pair.First.WriteAsync(batch => batch.PutInboundId(publisher, 7, Id));
        await _pair.First.WriteAsync(batch => batch.DeleteSession(publisher));

        Assert.Empty(await _store.RepeatableAsync([Id], CancellationToken.None));
    }

    [Fact]
    public async Task Holders_are_the_sessions_of_all_silos_whose_row_is_in_doubt()
    {
        var here = await StoreAsync(_pair.First, "a", Id);
        var there = await StoreAsync(_pair.Second, "b", Id);
        await StoreAsync(_pair.Second, "c", MessageId.None);

        var holders = await _store.HoldersAsync([Id], CancellationToken.None);
        Assert.Equal([(here, Id), (there, Id)], holders.OrderBy(h => h.Session == there));

        await _pair.First.WriteAsync(batch => batch.DeleteDelivery(here, 1, 0));
        Assert.Equal([(there, Id)], await _store.HoldersAsync([Id], CancellationToken.None));
        Assert.Equal(Id, Assert.Single(await _pair.Second.LoadDeliveriesAsync(there, CancellationToken.None)).InDoubt);
    }

    private static async Task<long> StoreAsync(PostgresMessageStore store, string client, MessageId inDoubt)
    {
        var session = await store.NewSessionAsync(client);
        var number = store.NextMessageNumber();
        await store.WriteAsync(batch =>
        {
            batch.PutMessage(number, new ApplicationMessage([1, 2], 1, 0) { Id = Id, Qos = QualityOfService.ExactlyOnce }, 1);
            batch.PutDelivery(
                new DeliveryRow(session, 1, number, 2, QualityOfService.ExactlyOnce, false, false, long.MaxValue, []) { InDoubt = inDoubt });
        });
        return session;
    }
}
