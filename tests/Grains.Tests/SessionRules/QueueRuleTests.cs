using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>The queue of a client that is away: limits, what is dropped, priorities, watermarks.</summary>
public sealed class QueueRuleTests
{
    private const QualityOfService Qos0 = QualityOfService.AtMostOnce;
    private const QualityOfService Qos1 = QualityOfService.AtLeastOnce;

    [Fact]
    public async Task Full_queue_drops_the_oldest_and_says_whose()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxQueued = 3 });
        one.Publish(Qos1, 1, 2, 3, 4, 5);

        Assert.Equal(2, one.Dropped(DropReason.QueueFull));
        Assert.All(
            one.Broker.Drops.Latest(),
            drop => Assert.Equal((SessionFixture.ClientId, "t", DropReason.QueueFull), (drop.ClientId, drop.Topic, drop.Reason)));
        Assert.Equal([3, 4, 5], one.Drain(one.Connect()));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 65_534)]
    [InlineData(65_535, 0)]
    public void Retained_message_over_the_limit_is_found_in_the_ledger_by_its_id(int topicLength, int propertiesLength)
    {
        using var broker = new ModelBroker(new MemoryRows(), new SessionOptions(), TimeSpan.Zero);
        var bytes = new byte[new RetainedOptions().MaxMessageBytes + 1];
        Array.Fill(bytes, (byte)'t', 0, topicLength);
        var message = new ApplicationMessage(bytes, topicLength, propertiesLength) { Id = new MessageId(1, 2), Retain = true };

        broker.Publish(message, new PublishOutcome());

        var drop = Assert.Single(broker.Drops.Latest());
        Assert.Equal((DropReason.RetainedLimit, new MessageId(1, 2)), (drop.Reason, drop.Message));
        Assert.Equal(0, broker.Retained.Count);
    }

    [Fact]
    public void Retained_message_of_the_size_of_the_limit_is_kept()
    {
        using var broker = new ModelBroker(new MemoryRows(), new SessionOptions(), TimeSpan.Zero);
        var bytes = new byte[new RetainedOptions().MaxMessageBytes];
        bytes[0] = (byte)'t';
        broker.Publish(new ApplicationMessage(bytes, 1, 100) { Id = new MessageId(1, 2), Retain = true }, new PublishOutcome());

        Assert.Equal((1, 0), (broker.Retained.Count, broker.Dropped));
    }

    [Fact]
    public async Task Full_queue_drops_QoS_0_before_anything_older()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxQueued = 3 });
        one.Publish(Qos1, 1);
        one.Publish(Qos0, 2);
        one.Publish(Qos1, 3, 4);

        Assert.Equal([1, 3, 4], one.Drain(one.Connect()));
    }

    [Fact]
    public async Task Full_queue_drops_what_has_expired_before_anything_else()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxQueued = 3 });
        one.Publish(Qos0, 1);
        one.PublishExpired(2);
        one.Publish(Qos1, 3, 4);

        Assert.Equal((1, 0), (one.Dropped(DropReason.Expired), one.Dropped(DropReason.QueueFull)));
        Assert.Equal([1, 3, 4], one.Drain(one.Connect()));
    }

    [Fact]
    public async Task Expired_message_is_not_sent_MQTT_3_3_2_5()
    {
        using var one = await SessionFixture.StartAsync();
        one.PublishExpired(1);
        one.Publish(Qos1, 2);

        Assert.Equal([2], one.Drain(one.Connect()));
        Assert.Equal(1, one.Dropped(DropReason.Expired));
    }

    [Fact]
    public async Task Client_is_sent_away_when_its_messages_cannot_be_read_0x89()
    {
        using var before = await SessionFixture.StartAsync();
        before.Publish(QualityOfService.AtLeastOnce, 1);
        before.Commit();

        using var after = SessionFixture.Restart(before);
        after.Broker.Store.FailsReads = true;
        var link = await after.ReconnectAsync();
        Assert.Equal(ReasonCode.ServerBusy, link.ClosedWith);
        Assert.Empty(link.Published);

        after.Broker.Store.FailsReads = false;
        Assert.Equal([1], after.Drain(await after.ReconnectAsync()));
    }

    [Fact]
    public async Task Byte_limit_holds_whatever_the_count()
    {
        // Topic and payload have a byte each.
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxQueued = 0, MaxQueuedBytes = 6 });
        one.Publish(Qos1, 1, 2, 3, 4, 5);

        Assert.Equal([3, 4, 5], one.Drain(one.Connect()));
    }

    [Fact]
    public async Task Zero_means_no_limit()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxQueued = 0, MaxQueuedBytes = 0 });
        var all = Enumerable.Range(1, 3_000).ToArray();
        one.Publish(Qos1, all);

        Assert.Equal(0, one.Broker.Dropped);
        Assert.Equal(all, one.Drain(one.Connect()));
    }

    [Fact]
    public async Task RefuseNewest_keeps_what_was_there()
    {
        using var one = await SessionFixture.StartAsync(Refusing());
        one.Publish(Qos1, 1, 2, 3, 4, 5);

        Assert.Equal(2, one.Dropped(DropReason.QueueFull));
        Assert.Equal([1, 2, 3], one.Drain(one.Connect()));
    }

    [Fact]
    public async Task RefuseNewest_refuses_QoS_0_as_well()
    {
        using var one = await SessionFixture.StartAsync(Refusing());
        one.Publish(Qos0, 1);
        one.Publish(Qos1, 2, 3);
        one.Publish(Qos0, 4);
        one.Publish(Qos1, 5);

        Assert.Equal(2, one.Dropped(DropReason.QueueFull));
        Assert.Equal([1, 2, 3], one.Drain(one.Connect()));
    }

    [Theory]
    [InlineData(Qos0)]
    [InlineData(Qos1)]
    public async Task RefuseNewest_drops_what_has_expired_before_it_refuses(QualityOfService qos)
    {
        using var one = await SessionFixture.StartAsync(Refusing());
        one.PublishExpired(1);
        one.Publish(Qos1, 2);
        one.PublishExpired(3);
        one.Publish(qos, 4, 5, 6);

        Assert.Equal((2, 1), (one.Dropped(DropReason.Expired), one.Dropped(DropReason.QueueFull)));
        Assert.Equal([2, 4, 5], one.Drain(one.Connect()));
    }

    [Fact]
    public async Task RefuseNewest_sends_what_waited_behind_a_message_that_has_expired()
    {
        // The head is not committed, and QoS 2.
        using var one = await SessionFixture.StartAsync(Refusing());
        var link = one.Connect();
        one.PublishExpired(1, QualityOfService.ExactlyOnce);
        one.Publish(Qos1, 2, 3);
        Assert.Empty(link.Published);

        one.Publish(Qos1, 4);
        Assert.Equal([2, 3, 4], one.Drain(link));
        Assert.Equal(0, one.Dropped(DropReason.QueueFull));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task RefuseNewest_looks_for_what_has_expired_when_only_the_store_has_the_queue(int expired)
    {
        using var before = await SessionFixture.StartAsync(Refusing());
        before.EndConnection();
        for (var number = 1; number <= 3; number++)
        {
            Publish(before, number, hasExpired: number <= expired);
        }

        before.Commit();
        using var one = SessionFixture.Restart(before, Refusing());
        var outcomes = Enumerable.Range(4, 3).Select(number => one.PublishTo("t", number, Qos1)).ToList();
        Assert.Equal(SessionState.Loading, one.Session.State);
        Assert.All(outcomes, outcome => Assert.Null(outcome.Reason));
        await one.Broker.CommitUntilAsync(one.Session.LoadAsync(CancellationToken.None));
        await one.Broker.CommitUntilAsync(one.Session.NamedAsync());

        Assert.All(outcomes, outcome => Assert.Equal(ReasonCode.Success, outcome.Reason));
        Assert.Equal((expired, 3 - expired), (one.Dropped(DropReason.Expired), one.Dropped(DropReason.QueueFull)));
        one.Commit();
        Assert.Equal(3, one.Rows.Deliveries.Count);
        Assert.Equal(Enumerable.Range(expired + 1, 3), one.Drain(await one.ReconnectAsync()));
    }

    [Theory]
    [InlineData(QueueFullPolicy.DropOldest)]
    [InlineData(QueueFullPolicy.RefuseNewest)]
    public async Task What_comes_while_the_queue_cannot_be_read_has_the_same_limit(QueueFullPolicy policy)
    {
        var options = new SessionOptions { MaxQueued = 3, QueueFullPolicy = policy };
        using var before = await SessionFixture.StartAsync(options);
        before.EndConnection();
        before.Publish(Qos1, 1, 2, 3);
        before.Commit();
        using var one = SessionFixture.Restart(before, options);
        one.Publish(Qos0, 4, 5, 6, 7, 8);

        Assert.Equal(SessionState.Loading, one.Session.State);
        Assert.Equal(2, one.Dropped(DropReason.QueueFull));
        await one.Broker.CommitUntilAsync(one.Session.LoadAsync(CancellationToken.None));
        Assert.Equal(5, one.Dropped(DropReason.QueueFull));
        Assert.Equal([1, 2, 3], one.Drain(await one.ReconnectAsync()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task QoS_0_waits_for_a_durable_session_only_with_QueueQos0(bool queued)
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { QueueQos0 = queued });
        one.Publish(Qos0, 1);

        Assert.Equal(queued ? 0 : 1, one.Dropped(DropReason.Offline));
        Assert.Equal(queued ? [1] : [], one.Drain(one.Connect()));
    }

    [Fact]
    public async Task Higher_priority_leaves_first_and_is_dropped_last()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxQueued = 3, TopicPriorities = "high=5" });
        one.PublishTo("high", 1, Qos1);
        one.Publish(Qos1, 2, 3, 4);
        one.PublishTo("high", 5, Qos1);

        Assert.Equal([1, 5, 4], one.Drain(one.Connect()));
    }

    [Fact]
    public async Task Watermark_rises_above_the_high_share_and_falls_below_the_low_one()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxQueued = 10, MaxInflight = 1 });
        one.Publish(Qos1, 1, 2, 3, 4, 5, 6);
        Assert.Equal(0, one.Broker.Metrics.HighQueues);
        one.Publish(Qos1, 7);
        Assert.Equal(1, one.Broker.Metrics.HighQueues);

        // One leaves for the window, then one for each acknowledgement: 2 wait, 0.2 of 10, which is not below.
        var link = one.Connect();
        for (var i = 0; i < 4; i++)
        {
            one.Acknowledge(link, PacketType.PubAck, link.Published[^1].PacketId);
        }

        Assert.Equal(1, one.Broker.Metrics.HighQueues);
        one.Acknowledge(link, PacketType.PubAck, link.Published[^1].PacketId);
        Assert.Equal(0, one.Broker.Metrics.HighQueues);
    }

    private static SessionOptions Refusing() => new() { MaxQueued = 3, QueueFullPolicy = QueueFullPolicy.RefuseNewest };

    private static void Publish(SessionFixture one, int number, bool hasExpired)
    {
        if (hasExpired)
        {
            one.PublishExpired(number);
        }
        else
        {
            one.Publish(Qos1, number);
        }
    }
}
