using Broker.Grains.Diagnostics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>What must be committed before what leaves (promises 1 to 3).</summary>
public sealed class DurableRuleTests
{
    private const QualityOfService Qos1 = QualityOfService.AtLeastOnce;
    private const QualityOfService Qos2 = QualityOfService.ExactlyOnce;

    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    [Fact]
    public async Task Publisher_is_acknowledged_when_the_message_for_an_absent_client_is_committed()
    {
        using var one = await SessionFixture.StartAsync(grace: Never);
        var outcome = one.PublishTo("t", 1, Qos1);
        Assert.Null(outcome.Reason);

        one.Commit();
        Assert.Equal(ReasonCode.Success, outcome.Reason);
        Assert.Single(one.Rows.Deliveries);
    }

    [Fact]
    public async Task Fast_subscriber_acknowledges_before_the_commit_and_the_store_sees_no_row()
    {
        using var one = await SessionFixture.StartAsync(grace: Never);
        var link = one.Connect();
        for (var number = 1; number <= 1_000; number++)
        {
            var outcome = one.PublishTo("t", number, Qos1);
            Assert.Null(outcome.Reason);
            one.Acknowledge(link, PacketType.PubAck, link.Published[^1].PacketId);
            Assert.Equal(ReasonCode.Success, outcome.Reason);
        }

        one.Commit();
        Assert.Equal(0, one.Rows.DeliveriesWritten);
    }

    [Fact]
    public async Task Rows_of_a_long_queue_that_is_emptied_at_once_go_in_transactions_of_bounded_size()
    {
        const int Messages = 5_000;
        const int MostRows = 1_024;
        using var one = await SessionFixture.StartAsync(options: new SessionOptions { MaxQueued = 0, MaxQueuedBytes = 0 });
        one.Publish(Qos1, [.. Enumerable.Range(1, Messages)]);
        one.Commit();
        Assert.Equal(Messages, one.Rows.Deliveries.Count);
        var posted = new List<StoreWrite>();
        one.Broker.Store.Posting = posted.Add;

        Assert.Equal(Enumerable.Range(1, Messages), one.Drain(await one.ReconnectAsync()));

        Assert.All(posted, static write => Assert.InRange(write.Rows, 0, MostRows));
        Assert.Equal(Messages, posted.Where(static write => write.Rows > 1).Sum(static write => write.Rows));
        one.Commit();
        Assert.Empty(one.Rows.Deliveries);
    }

    [Fact]
    public async Task Slow_subscriber_costs_a_row_each()
    {
        using var one = await SessionFixture.StartAsync(grace: TimeSpan.Zero);
        one.Connect();
        for (var number = 1; number <= 100; number++)
        {
            var outcome = one.PublishTo("t", number, Qos1);
            one.Commit();
            Assert.Equal(ReasonCode.Success, outcome.Reason);
        }

        Assert.Equal(100, one.Rows.DeliveriesWritten);
    }

    [Fact]
    public async Task What_cannot_wait_takes_the_publishers_earlier_messages_with_it()
    {
        using var one = await SessionFixture.StartAsync(grace: Never);
        one.Connect();
        var held = one.PublishTo("t", 1, Qos1);
        one.Commit();
        Assert.Null(held.Reason);

        // QoS 2 to a durable session is committed before it leaves, so it is not held back.
        one.PublishTo("t", 2, Qos2);
        one.Commit();
        Assert.Equal(ReasonCode.Success, held.Reason);
    }

    [Fact]
    public async Task Failed_commit_is_told_to_the_publisher_and_nothing_is_kept()
    {
        using var one = await SessionFixture.StartAsync();
        var outcome = one.PublishTo("t", 1, Qos1);
        one.Broker.Store.Fail();

        Assert.True(outcome.Reason >= ReasonCode.UnspecifiedError);
        Assert.Equal(1, one.Dropped(DropReason.StoreFailed));
        Assert.Empty(one.Drain(one.Connect()));
    }

    [Fact]
    public async Task QoS_2_leaves_after_its_commit()
    {
        using var one = await SessionFixture.StartAsync(grace: Never);
        var link = one.Connect();
        one.Publish(Qos2, 1);
        Assert.Empty(link.Published);

        one.Commit();
        Assert.Equal([1], link.Numbers);
    }

    [Fact]
    public async Task PUBREL_leaves_after_PUBREC_is_durable()
    {
        using var one = await SessionFixture.StartAsync();
        var link = one.Connect();
        one.Publish(Qos2, 1);
        one.Commit();
        one.Acknowledge(link, PacketType.PubRec, link.Published[0].PacketId);
        Assert.Empty(link.Acknowledged);

        one.Commit();
        Assert.Equal((PacketType.PubRel, link.Published[0].PacketId), Assert.Single(link.Acknowledged));
    }

    [Fact]
    public async Task Session_leaves_memory_only_when_all_of_it_is_in_the_store_and_comes_back_as_it_was()
    {
        using var one = await SessionFixture.StartAsync();
        var link = one.Connect();
        Assert.False(one.Session.TryUnload());

        one.Publish(Qos1, 1, 2);
        one.Disconnect();
        one.Publish(Qos1, 3);
        Assert.False(one.Session.TryUnload());
        one.Commit();
        Assert.True(one.Session.TryUnload());
        one.Publish(Qos1, 4);
        one.Commit();

        var second = await one.ReconnectAsync();
        await one.Broker.CommitUntilAsync(ArrivedAsync(second, 4));
        Assert.Equal([1, 2, 3, 4], second.Numbers);
        Assert.Equal(link.Published.Select(p => p.PacketId), second.Published.Take(2).Select(p => p.PacketId));
        Assert.Equal([true, true, false, false], second.Published.Select(p => p.Dup));
    }

    [Fact]
    public async Task Load_waits_for_a_message_whose_publisher_has_not_posted_it_yet()
    {
        using var one = await SessionFixture.StartAsync();
        Assert.True(one.Session.TryUnload());

        // Between the delivery to this session and the end of the publisher's fan-out.
        var source = new PublishSource(ModelMessage.Of("t", 1, Qos1, default));
        PublishRecord? record = null;
        one.Broker.Router.Route(ref source, null, ref record);
        var loading = one.Session.LoadAsync(CancellationToken.None);
        for (var i = 0; i < 20; i++)
        {
            one.Commit();
            await Task.Delay(1);
        }

        Assert.False(loading.IsCompleted);
        record!.Seal();
        record.Post();
        await one.Broker.CommitUntilAsync(loading);
        var link = one.Connect();
        await one.Broker.CommitUntilAsync(ArrivedAsync(link, 1));
        Assert.Equal([1], link.Numbers);
    }

    [Fact]
    public async Task Head_that_the_store_refuses_does_not_hold_up_what_is_committed_behind_it()
    {
        using var one = await SessionFixture.StartAsync();
        var link = one.Connect();

        // The first publisher is slower: its message stands first in the queue and comes second to the store.
        var source = new PublishSource(ModelMessage.Of("t", 1, Qos2, default));
        PublishRecord? slow = null;
        one.Broker.Router.Route(ref source, null, ref slow);
        one.Publish(Qos2, 2);
        one.Commit();
        Assert.Empty(link.Published);

        slow!.Seal();
        slow.Post();
        one.Broker.Store.Fail();
        Assert.Equal([2], link.Numbers);
    }

    [Fact]
    public async Task After_a_restart_new_messages_are_not_taken_for_sent_ones()
    {
        using var one = await SessionFixture.StartAsync();
        var link = one.Connect();
        one.Publish(Qos1, 1, 2, 3);
        one.Drain(link);
        one.Broker.Lifecycle.ConnectionEnded(one.Session, one.Session.Epoch, EndCause.Disconnect, null);
        one.Commit();

        using var restarted = SessionFixture.Restart(one);
        restarted.Publish(Qos1, 4, 5);
        restarted.Commit();
        var second = await restarted.ReconnectAsync();
        await restarted.Broker.CommitUntilAsync(ArrivedAsync(second, 2));
        Assert.Equal([(4, false), (5, false)], second.Published.Select(p => (p.Number, p.Dup)));
    }

    [Fact]
    public async Task Priorities_hold_for_what_comes_back_from_the_store()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { TopicPriorities = "high=5", MaxInflight = 1 });
        one.Publish(Qos1, 1, 2);
        one.PublishTo("high", 3, Qos1);
        one.Commit();
        Assert.True(one.Session.TryUnload());

        var link = await one.ReconnectAsync();
        await one.Broker.CommitUntilAsync(ArrivedAsync(link, 1));
        Assert.Equal(3, link.Published[0].Number);
    }

    [Fact]
    public async Task Refused_CONNECT_leaves_the_session_as_it_was()
    {
        using var one = await SessionFixture.StartAsync();
        one.Connect();
        one.Broker.Lifecycle.ConnectionEnded(one.Session, one.Session.Epoch, EndCause.Lost, null);
        one.Commit();
        var expires = one.Session.ExpiresAt;
        Assert.NotNull(expires);

        var claim = new SessionClaim { CleanStart = false, ExpiryInterval = 0, Version = ProtocolVersion.Mqtt5 };
        var connecting = one.Broker.Lifecycle.ConnectAsync(SessionFixture.ClientId, claim);
        one.Broker.Store.Fail();
        await Assert.ThrowsAnyAsync<StoreException>(() => connecting);

        Assert.Equal((expires, 3600u), (one.Session.ExpiresAt, one.Session.ExpiryInterval));
        Assert.Same(one.Session, one.Broker.Sessions.Find(SessionFixture.ClientId));
    }

    [Fact]
    public async Task Clean_start_is_answered_when_the_end_of_the_earlier_session_is_committed()
    {
        using var one = await SessionFixture.StartAsync();
        var claim = new SessionClaim { CleanStart = true, ExpiryInterval = 0, Version = ProtocolVersion.Mqtt5 };
        var connecting = one.Broker.Lifecycle.ConnectAsync(SessionFixture.ClientId, claim);
        Assert.False(connecting.IsCompleted);

        one.Commit();
        Assert.False((await connecting).SessionPresent);
        Assert.Empty(one.Rows.Sessions);
    }

    private static async Task ArrivedAsync(RecordingLink link, int count)
    {
        while (link.Published.Count < count)
        {
            await Task.Delay(1);
        }
    }
}
