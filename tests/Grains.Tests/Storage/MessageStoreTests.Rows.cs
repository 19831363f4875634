using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Broker.Protocol;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <content>Each kind of row: what is put comes back, what is deleted does not.</content>
public abstract partial class MessageStoreTests
{
    [Fact]
    public async Task A_new_store_is_empty()
    {
        var state = await RestartAsync();

        Assert.Null(state.LastAlive);
        Assert.Empty(state.Sessions);
        Assert.Empty(state.Subscriptions);
        Assert.Empty(state.Retained);
        Assert.Empty(state.Wills);
        Assert.Empty(state.Replays);
        Assert.Empty(state.Queues);
    }

    [Fact]
    public async Task A_session_comes_back_whole_by_client_id_and_at_restart()
    {
        var row = new SessionRow(
            Store.NextSessionNumber(), "clïent/日本", 7, uint.MaxValue, 1_800_000_000_123, 5, ProtocolVersion.Mqtt31);
        await Store.WriteAsync(batch => batch.PutSession(row));

        Assert.Equal(row, await Store.LoadSessionAsync(row.ClientId, CancellationToken.None));
        Assert.Null(await Store.LoadSessionAsync("other", CancellationToken.None));
        Assert.Equal(row, Assert.Single((await RestartAsync()).Sessions));
    }

    [Fact]
    public async Task A_session_put_again_is_replaced()
    {
        var session = await Store.NewSessionAsync("c");
        await Store.WriteAsync(batch => batch.PutSession(Session(session, "c", 2) with { ExpiresAt = 77 }));

        var row = await Store.LoadSessionAsync("c", CancellationToken.None);

        Assert.Equal(2, row!.Epoch);
        Assert.Equal(77, row.ExpiresAt);
    }

    [Fact]
    public async Task A_new_session_of_a_client_takes_the_place_of_its_old_one()
    {
        var old = await Store.NewSessionAsync("c");
        var message = Store.NextMessageNumber();
        await Store.WriteAsync(batch =>
        {
            batch.PutMessage(message, Message(), 1);
            batch.PutDelivery(Delivery(old, 1, message));
        });
        var fresh = await Store.NewSessionAsync("c");

        Assert.Equal(fresh, (await Store.LoadSessionAsync("c", CancellationToken.None))!.Number);
        Assert.Empty(await Store.SequencesAsync(old));
        Assert.False(await Store.HasMessageAsync(message));
    }

    [Fact]
    public async Task Subscriptions_are_put_replaced_and_deleted()
    {
        var session = await Store.NewSessionAsync("c");
        await Store.WriteAsync(batch =>
        {
            batch.PutSubscription(new SubscriptionRow(session, "a/+", 1, 0));
            batch.PutSubscription(new SubscriptionRow(session, "b/#", 2, 268_435_455));
        });
        await Store.WriteAsync(batch =>
        {
            batch.PutSubscription(new SubscriptionRow(session, "b/#", 0x2D, 9));
            batch.DeleteSubscription(session, "a/+");
        });

        Assert.Equal(new SubscriptionRow(session, "b/#", 0x2D, 9), Assert.Single((await RestartAsync()).Subscriptions));
    }

    [Fact]
    public async Task A_delivery_and_its_message_come_back_whole()
    {
        var session = await Store.NewSessionAsync("c");
        var number = Store.NextMessageNumber();
        var message = new ApplicationMessage([1, 2, 3, 4, 5, 6, 7], 2, 3)
        {
            Id = new MessageId(ulong.MaxValue, 42),
            Qos = QualityOfService.ExactlyOnce,
            Retain = true,
            ExpiresAt = 1_800_000_000_000,
            Publisher = "pub",
        };
        var row = new DeliveryRow(
            session, 12, number, 7, QualityOfService.ExactlyOnce, true, false, 1_800_000_000_000, [1, 268_435_455]);
        await Store.WriteAsync(batch =>
        {
            batch.PutMessage(number, message, 1);
            batch.PutDelivery(row);
        });

        var loadedRow = Assert.Single(await Store.LoadDeliveriesAsync(session, CancellationToken.None));
        var loaded = (await Store.LoadMessagesAsync([number, number + 1], CancellationToken.None))[number];

        Assert.Equal(row.SubscriptionIdentifiers, loadedRow.SubscriptionIdentifiers);
        Assert.Equal(row, loadedRow with { SubscriptionIdentifiers = row.SubscriptionIdentifiers });
        AssertSame(message, loaded);
    }

    [Fact]
    public async Task Deliveries_are_loaded_in_sequence_order()
    {
        var session = await Store.NewSessionAsync("c");
        foreach (var sequence in new long[] { 3, 1, 300, 2, 20 })
        {
            await Store.WriteAsync(batch =>
            {
                var number = Store.NextMessageNumber();
                batch.PutMessage(number, Message(), 1);
                batch.PutDelivery(Delivery(session, sequence, number));
            });
        }

        Assert.Equal([1, 2, 3, 20, 300], await Store.SequencesAsync(session));
        var queue = (await RestartAsync()).Queues[session];
        Assert.Equal(5, queue.Count);
        Assert.Equal(300, queue.LastSequence);
    }

    [Fact]
    public async Task Released_is_remembered()
    {
        var session = await Store.NewSessionAsync("c");
        var number = Store.NextMessageNumber();
        await Store.WriteAsync(batch =>
        {
            batch.PutMessage(number, Message(), 1);
            batch.PutDelivery(Delivery(session, 1, number) with { Qos = QualityOfService.ExactlyOnce });
        });
        await Store.WriteAsync(batch => batch.SetReleased(session, 1));
        await Store.WriteAsync(batch => batch.SetReleased(session, 2));

        var row = Assert.Single(await Store.LoadDeliveriesAsync(session, CancellationToken.None));
        Assert.True(row.Released);
        Assert.Equal(QualityOfService.ExactlyOnce, row.Qos);
    }

    [Fact]
    public async Task Inbound_ids_are_put_and_deleted()
    {
        var session = await Store.NewSessionAsync("c");
        await Store.WriteAsync(batch =>
        {
            batch.PutInboundId(session, ushort.MaxValue);
            batch.PutInboundId(session, 1);
            batch.PutInboundId(session, 1);
            batch.PutInboundId(session + 1, 2);
        });
        await Store.WriteAsync(batch => batch.DeleteInboundId(session, 1));

        Assert.Equal([new InboundRow(ushort.MaxValue, default)], await Store.LoadInboundIdsAsync(session, CancellationToken.None));
    }

    [Fact]
    public async Task Wills_replays_and_the_time_come_back()
    {
        var session = await Store.NewSessionAsync("c");
        var will = Message("will");
        await Store.WriteAsync(batch =>
        {
            batch.PutWill(new WillRow("c", will, 30, null));
            batch.PutWill(new WillRow("gone", will, 0, null));
            batch.PutReplay(session, "a/#", 5, new MessageId(1, 2));
            batch.PutReplay(session, "b/#", 6, default);
            batch.PutReplay(session, "c/#", 7, default);
            batch.PutLastAlive(123);
        });
        await Store.WriteAsync(batch =>
        {
            batch.PutWill(new WillRow("c", will, 30, 1_800_000_000_000));
            batch.DeleteWill("gone");
            batch.PutReplay(session, "a/#", 50, will.Id);
            batch.DeleteReplay(session, "b/#");
            batch.PutLastAlive(124);
        });

        var state = await RestartAsync();
        var row = Assert.Single(state.Wills);
        Assert.Equal(("c", 30u, 1_800_000_000_000L), (row.ClientId, row.DelayInterval, row.PublishAt!.Value));
        AssertSame(will, row.Message);
        Assert.Equal(
            [new ReplayRow(session, "a/#", 50, will.Id), new ReplayRow(session, "c/#", 7)],
            state.Replays.OrderBy(static r => r.Filter, StringComparer.Ordinal));
        Assert.Equal(124, state.LastAlive);
    }

    [Fact]
    public async Task Deleting_what_is_not_there_is_nothing()
    {
        await Store.WriteAsync(batch =>
        {
            batch.DeleteSession(99);
            batch.DeleteSubscription(99, "a");
            batch.DeleteDelivery(99, 1, 1);
            batch.DeleteInboundId(99, 1);
            batch.ClearRetained("a", new MessageId(1, 2));
            batch.DeleteWill("a");
            batch.DeleteReplay(99, "a");
        });

        Assert.True(Store.IsAvailable);
    }

    private static void AssertSame(ApplicationMessage expected, ApplicationMessage actual)
    {
        Assert.Equal(expected.Bytes.ToArray(), actual.Bytes.ToArray());
        Assert.Equal(
            (expected.Id, expected.Qos, expected.Retain, expected.ExpiresAt, expected.Publisher),
            (actual.Id, actual.Qos, actual.Retain, actual.ExpiresAt, actual.Publisher));
        Assert.Equal(
            (expected.TopicLength, expected.PropertiesLength), (actual.TopicLength, actual.PropertiesLength));
    }

    [Fact]
    public async Task Sessions_that_are_loaded_at_the_same_time_get_each_their_own_rows_in_order()
    {
        const int Sessions = 100;
        var numbers = new List<long>();
        for (var i = 0; i < Sessions; i++)
        {
            numbers.Add(await Store.NewSessionAsync($"c{i}"));
        }

        var message = Store.NextMessageNumber();
        await Store.WriteAsync(batch =>
        {
            batch.PutMessage(message, StoreTestExtensions.Message(), Sessions * (Sessions - 1) / 2);

            // The first has nothing; of the others each has one more than the one before, put in falling order.
            for (var i = 1; i < Sessions; i++)
            {
                for (var sequence = i; sequence > 0; sequence--)
                {
                    batch.PutDelivery(StoreTestExtensions.Delivery(numbers[i], sequence, message));
                }

                batch.PutInboundId(numbers[i], (ushort)i);
            }
        });

        // One is asked for twice.
        var loads = numbers.Append(numbers[^1]).Select(n => (Store.SequencesAsync(n), Store.LoadInboundIdsAsync(n, CancellationToken.None))).ToList();
        for (var i = 0; i <= Sessions; i++)
        {
            var count = Math.Min(i, Sessions - 1);
            Assert.Equal(Enumerable.Range(1, count).Select(static s => (long)s), await loads[i].Item1);
            Assert.Equal(count == 0 ? [] : [new InboundRow((ushort)count, default)], await loads[i].Item2);
        }
    }
}
