using Broker.Grains.Storage;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <content>Order, atomicity, fencing, references, numbers, bounds.</content>
public abstract partial class MessageStoreTests
{
    [Fact]
    public async Task Writes_are_completed_in_the_order_of_posting_and_later_ones_win()
    {
        var session = await Store.NewSessionAsync("c");
        var order = new List<int>();
        var writes = Enumerable.Range(0, 1000).Select(i => new TestWrite(
            batch => batch.PutSubscription(new SubscriptionRow(session, "f", 0, (uint)i)))
        {
            Completing = _ => order.Add(i),
        }).ToList();
        writes.ForEach(Store.Post);
        await Task.WhenAll(writes.Select(write => write.Done)).WaitAsync(TimeSpan.FromSeconds(30));

        var state = await RestartAsync();
        Assert.Equal(Enumerable.Range(0, 1000), order);
        Assert.Equal(999u, Assert.Single(state.Subscriptions).Identifier);
    }

    [Fact]
    public async Task What_is_completed_can_be_read()
    {
        var session = await Store.NewSessionAsync("c");
        for (var i = 1; i <= 50; i++)
        {
            var number = Store.NextMessageNumber();
            await Store.WriteAsync(batch =>
            {
                batch.PutMessage(number, Message(), 1);
                batch.PutDelivery(Delivery(session, i, number));
            });
            Assert.Equal(i, (await Store.SequencesAsync(session)).Count);
        }
    }

    [Fact]
    public async Task A_write_that_throws_is_left_out_whole_and_harms_no_other()
    {
        var session = await Store.NewSessionAsync("c");
        var good = Store.PostWrite(batch => batch.PutSubscription(new SubscriptionRow(session, "good", 0, 0)));
        var bad = Store.PostWrite(batch =>
        {
            batch.PutSubscription(new SubscriptionRow(session, "bad", 0, 0));
            throw new InvalidOperationException("of the test");
        }, mustSucceed: true);
        var callbackThrows = new TestWrite(batch => batch.PutSubscription(new SubscriptionRow(session, "also", 0, 0)))
        {
            Completing = _ => throw new InvalidOperationException("of the test"),
        };
        Store.Post(callbackThrows);

        await good.Done;
        await callbackThrows.Done;
        await Assert.ThrowsAsync<InvalidOperationException>(() => bad.Done);
        Assert.Equal(["also", "good"], (await RestartAsync()).Subscriptions.Select(row => row.Filter).Order());
    }

    [Fact]
    public async Task Only_the_epoch_of_the_session_row_owns_it()
    {
        var session = await Store.NewSessionAsync("c");
        var answers = new List<bool>();
        await Store.WriteAsync(batch =>
        {
            answers.Add(batch.Owns(session, 1));
            batch.PutSession(Session(session, "c", 2));
            answers.Add(batch.Owns(session, 1));
            answers.Add(batch.Owns(session, 2));
        });
        await RestartAsync();
        await Store.WriteAsync(batch =>
        {
            answers.Add(batch.Owns(session, 1));
            answers.Add(batch.Owns(session, 2));
            batch.DeleteSession(session);
            answers.Add(batch.Owns(session, 2));
            batch.PutSession(Session(session + 1, "d", 1));
            answers.Add(batch.Owns(session + 1, 1));
        });
        await Store.WriteAsync(batch => answers.Add(batch.Owns(session, 2)));

        Assert.Equal([true, false, true, false, true, false, true, false], answers);
    }

    [Fact]
    public async Task A_fenced_write_stores_nothing_after_a_takeover_in_the_same_batch()
    {
        var session = await Store.NewSessionAsync("c");
        var number = Store.NextMessageNumber();
        var takeover = Store.PostWrite(batch => batch.PutSession(Session(session, "c", 2)));
        var late = Store.PostWrite(batch =>
        {
            if (batch.Owns(session, 1))
            {
                batch.PutMessage(number, Message(), 1);
                batch.PutDelivery(Delivery(session, 1, number));
            }
        });
        await takeover.Done;
        await late.Done;

        Assert.Empty(await Store.SequencesAsync(session));
    }

    [Fact]
    public async Task A_message_goes_with_its_last_delivery()
    {
        var first = await Store.NewSessionAsync("a");
        var second = await Store.NewSessionAsync("b");
        var third = await Store.NewSessionAsync("c");
        var number = Store.NextMessageNumber();
        await Store.WriteAsync(batch =>
        {
            batch.PutMessage(number, Message(), 3);
            batch.PutDelivery(Delivery(first, 1, number));
            batch.PutDelivery(Delivery(second, 1, number));
            batch.PutDelivery(Delivery(third, 1, number));
        });

        await Store.WriteAsync(batch => batch.DeleteDelivery(first, 1, number));
        await Store.WriteAsync(batch => batch.DeleteDelivery(first, 1, number));
        Assert.True(await Store.HasMessageAsync(number));
        await RestartAsync();
        await Store.WriteAsync(batch => batch.DeleteSession(second));
        Assert.True(await Store.HasMessageAsync(number));
        await Store.WriteAsync(batch => batch.DeleteDelivery(third, 1, number));
        Assert.False(await Store.HasMessageAsync(number));
    }

    [Fact]
    public async Task Deliveries_deleted_before_the_commit_of_their_message_leave_the_others()
    {
        var first = await Store.NewSessionAsync("a");
        var second = await Store.NewSessionAsync("b");
        var shared = Store.NextMessageNumber();
        var gone = Store.NextMessageNumber();
        await Store.WriteAsync(batch =>
        {
            batch.PutMessage(shared, Message(), 2);
            batch.PutDelivery(Delivery(first, 1, shared));
            batch.PutDelivery(Delivery(second, 1, shared));
            batch.PutMessage(gone, Message(), 1);
            batch.PutDelivery(Delivery(first, 2, gone));
            batch.DeleteDelivery(first, 1, shared);
            batch.DeleteDelivery(first, 2, gone);
        });

        Assert.Empty(await Store.SequencesAsync(first));
        Assert.False(await Store.HasMessageAsync(gone));
        Assert.True(await Store.HasMessageAsync(shared));
        await Store.WriteAsync(batch => batch.DeleteDelivery(second, 1, shared));
        Assert.False(await Store.HasMessageAsync(shared));
    }

    [Fact]
    public async Task A_deleted_session_takes_everything_along_that_was_put_before_in_the_same_batch()
    {
        var session = await Store.NewSessionAsync("c");
        var number = Store.NextMessageNumber();
        await Store.WriteAsync(batch =>
        {
            batch.PutMessage(number, Message(), 1);
            batch.PutDelivery(Delivery(session, 1, number));
            batch.PutSubscription(new SubscriptionRow(session, "f", 0, 0));
            batch.PutInboundId(session, 1);
            batch.PutReplay(session, "f", 1, default);
            batch.DeleteSession(session);
        });

        Assert.Empty(await Store.SequencesAsync(session));
        Assert.Empty(await Store.LoadInboundIdsAsync(session, CancellationToken.None));
        Assert.False(await Store.HasMessageAsync(number));
        var state = await RestartAsync();
        Assert.Empty(state.Sessions);
        Assert.Empty(state.Subscriptions);
        Assert.Empty(state.Replays);
    }

    [Fact]
    public async Task A_range_of_deletions_with_gaps_gives_back_what_was_there()
    {
        var session = await Store.NewSessionAsync("c");
        var numbers = Enumerable.Range(0, 10).Select(_ => Store.NextMessageNumber()).ToList();
        await Store.WriteAsync(batch =>
        {
            for (var i = 0; i < 10; i += 2)
            {
                batch.PutMessage(numbers[i], Message(), 1);
                batch.PutDelivery(Delivery(session, i, numbers[i]));
            }
        });
        await Store.WriteAsync(batch =>
        {
            for (var i = 0; i < 7; i++)
            {
                batch.DeleteDelivery(session, i, numbers[i]);
            }
        });

        Assert.Equal([8], await Store.SequencesAsync(session));
        Assert.Equal([numbers[8]], (await Store.LoadMessagesAsync(numbers, CancellationToken.None)).Keys);
    }

    [Fact]
    public async Task Numbers_ascend_over_restarts_and_are_not_given_again()
    {
        long message = 0;
        long session = 0;
        for (var start = 0; start < 3; start++)
        {
            for (var i = 0; i < 10; i++)
            {
                var nextMessage = Store.NextMessageNumber();
                var nextSession = Store.NextSessionNumber();
                Assert.True(nextMessage > message && nextSession > session);
                (message, session) = (nextMessage, nextSession);
            }

            var (usedMessage, usedSession) = (message, session);
            await Store.WriteAsync(batch =>
            {
                batch.PutSession(Session(usedSession, "c", 1));
                batch.PutMessage(usedMessage, Message(), 1);
                batch.PutDelivery(Delivery(usedSession, 1, usedMessage));
            });
            await Store.WriteAsync(batch => batch.DeleteSession(usedSession));
            await RestartAsync();
        }
    }

    [Fact]
    public async Task Too_much_posted_is_congestion_until_it_is_committed()
    {
        var store = Store;
        await store.DisposeAsync();
        store = NewStore(maximumPendingWrites: 1000);
        await store.OpenedAsync();
        using var gate = new ManualResetEventSlim();
        var writes = new List<TestWrite> { store.PostWrite(_ => gate.Wait(TimeSpan.FromSeconds(30))) };
        for (var i = 0; i < 1000; i++)
        {
            Assert.False(store.IsCongested);
            writes.Add(store.PostWrite(batch => batch.PutLastAlive(1)));
        }

        Assert.True(store.IsCongested);
        var drained = store.WaitUntilDrainedAsync(CancellationToken.None).AsTask();
        Assert.False(drained.IsCompleted);
        gate.Set();
        await drained.WaitAsync(TimeSpan.FromSeconds(30));
        await Task.WhenAll(writes.Select(write => write.Done)).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(store.IsCongested);
        Assert.True(store.WaitUntilDrainedAsync(CancellationToken.None).AsTask().IsCompleted);
    }

    [Fact]
    public async Task Closing_commits_what_is_posted_and_refuses_what_comes_later()
    {
        var writes = Enumerable.Range(0, 5000).Select(i => Store.PostWrite(batch => batch.PutLastAlive(i))).ToList();
        var closed = Store;
        var state = await RestartAsync();

        Assert.All(writes, write => Assert.True(write.Done.IsCompletedSuccessfully));
        Assert.Equal(4999, state.LastAlive);
        await Assert.ThrowsAsync<StoreException>(() => closed.WriteAsync(batch => batch.PutLastAlive(1)));
    }
}
