using Broker.Grains.Diagnostics;
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

    private static async Task ArrivedAsync(RecordingLink link, int count)
    {
        while (link.Published.Count < count)
        {
            await Task.Delay(1);
        }
    }
}
