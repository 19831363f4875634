using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Retained;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>A SUBSCRIBE or UNSUBSCRIBE that the store refuses, or that it has not answered yet: everything is as it was.</summary>
public sealed class RefusedSubscriptionTests
{
    private const string Filter = "#";
    private const QualityOfService Qos1 = QualityOfService.AtLeastOnce;

    // More than what a replay puts into the queue at once.
    private const int Many = 70;

    private static readonly int[] All = [.. Enumerable.Range(1, Many)];

    [Fact]
    public async Task Retained_messages_of_a_refused_SUBSCRIBE_are_not_sent()
    {
        using var one = await SessionFixture.StartAsync();
        var link = one.Connect();
        var before = SubscribeAgain(one);
        var saving = one.Session.SaveSubscriptionsAsync([Filter]);

        // What makes the session look for more to send.
        AcknowledgeOne(one, link);
        await RefuseAsync(one, saving);
        one.Session.PutBack(before, one.Epoch);
        AcknowledgeOne(one, link);

        one.Session.BeginReplays();
        Assert.All(link.Published, static p => Assert.Equal("t", p.Topic));
        Assert.Empty(one.Rows.Replays);
    }

    [Fact]
    public async Task Retained_messages_of_an_earlier_SUBSCRIBE_go_on_after_a_refused_one()
    {
        using var one = await SessionFixture.StartAsync();
        var link = await ReplayingAsync(one);
        var before = SubscribeAgain(one);
        await RefuseAsync(one, one.Session.SaveSubscriptionsAsync([Filter]));
        one.Session.PutBack(before, one.Epoch);

        Assert.Equal(All, one.Drain(link));
        one.Commit();
        Assert.Empty(one.Rows.Replays);
    }

    [Fact]
    public async Task What_is_published_until_an_UNSUBSCRIBE_is_refused_is_there()
    {
        using var one = await SessionFixture.StartAsync();
        var before = one.Session.Backup(Filter);
        Assert.True(one.Session.BeginUnsubscribe(Filter, one.Epoch));
        await RefuseAsync(one, one.Session.SaveSubscriptionsAsync([Filter]));
        var outcome = one.PublishTo("t", 1, Qos1);
        one.Commit();
        Assert.Equal(ReasonCode.Success, outcome.Reason);
        one.Session.PutBack(before, one.Epoch);

        one.Publish(Qos1, 2);
        one.Commit();
        Assert.Equal([1, 2], one.Connect().Numbers);
        Assert.True(one.Session.BeginUnsubscribe(Filter, one.Epoch));
    }

    [Fact]
    public async Task Retained_messages_pause_during_an_UNSUBSCRIBE_and_go_on_when_it_is_refused()
    {
        using var one = await SessionFixture.StartAsync();
        var link = await ReplayingAsync(one);
        var before = one.Session.Backup(Filter);
        Assert.True(one.Session.BeginUnsubscribe(Filter, one.Epoch));
        var saving = one.Session.SaveSubscriptionsAsync([Filter]);
        var paused = one.Drain(link).Count;
        Assert.True(paused < Many);

        await RefuseAsync(one, saving);
        one.Session.PutBack(before, one.Epoch);
        for (var i = paused; i < link.Published.Count; i++)
        {
            one.Acknowledge(link, PacketType.PubAck, link.Published[i].PacketId);
        }

        Assert.Equal(All, link.Numbers);
    }

    [Fact]
    public async Task UNSUBSCRIBE_takes_effect_when_it_is_committed_and_leaves_nothing_to_replay()
    {
        using var one = await SessionFixture.StartAsync();
        var link = await ReplayingAsync(one);
        Assert.True(one.Session.BeginUnsubscribe(Filter, one.Epoch));
        Assert.False(one.Session.BeginUnsubscribe(Filter, one.Epoch));
        var saving = one.Session.SaveSubscriptionsAsync([Filter]);
        await one.Broker.CommitUntilAsync(saving);
        one.Drain(link);
        one.Commit();
        Assert.True(one.Session.EndUnsubscribe(Filter, one.Epoch));

        Assert.Empty(one.Session.Subscriptions);
        Assert.Empty(one.Rows.Subscriptions);
        Assert.Empty(one.Rows.Replays);
        var sent = link.Published.Count;
        one.Publish(Qos1, Many + 1);
        one.Commit();
        Assert.Equal(sent, link.Published.Count);
        Assert.False(one.Session.BeginUnsubscribe(Filter, one.Epoch));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task End_of_an_UNSUBSCRIBE_of_a_connection_that_was_taken_over_leaves_what_the_new_one_has_subscribed_to(bool isRefused)
    {
        using var one = await SessionFixture.StartAsync();
        var (earlier, before) = (one.Epoch, one.Session.Backup(Filter));
        Assert.True(one.Session.BeginUnsubscribe(Filter, earlier));
        await one.ReconnectAsync();
        Assert.NotNull(one.Session.Subscribe(Filter, (byte)Qos1, 0, out _, one.Epoch));
        if (isRefused)
        {
            one.Session.PutBack(before, earlier);
        }
        else
        {
            Assert.False(one.Session.EndUnsubscribe(Filter, earlier));
        }

        await one.Broker.CommitUntilAsync(one.Session.SaveSubscriptionsAsync([Filter]));
        Assert.Equal((byte)Qos1, Assert.Single(one.Session.Subscriptions).Options);
        Assert.Equal((byte)Qos1, Assert.Single(one.Rows.Subscriptions.Values).Options);
    }

    [Fact]
    public async Task Refused_SUBSCRIBE_of_a_connection_that_was_taken_over_does_not_undo_that_of_the_new_one()
    {
        using var one = await SessionFixture.StartAsync();
        var (earlier, before) = (one.Epoch, one.Session.Backup("more"));
        one.Session.Subscribe("more", 0, 0, out _, earlier);
        var refused = one.Session.SaveSubscriptionsAsync(["more"]);
        await RefuseAsync(one, refused);
        await one.ReconnectAsync();
        one.Session.Subscribe("more", (byte)Qos1, 0, out _, one.Epoch);
        await one.Broker.CommitUntilAsync(one.Session.SaveSubscriptionsAsync(["more"]));

        one.Session.PutBack(before, earlier);
        Assert.Equal(["#", "more"], one.Session.Subscriptions.Select(static s => s.Filter).Order());
    }

    [Fact]
    public async Task Refused_SUBSCRIBE_of_a_connection_that_was_taken_over_is_undone()
    {
        using var one = await SessionFixture.StartAsync();
        var earlier = one.Epoch;
        SubscriptionBackup[] before = [one.Session.Backup("more"), one.Session.Backup(Filter)];
        Assert.NotNull(one.Session.Subscribe("more", 0, 0, out _, earlier));
        Assert.NotNull(one.Session.Subscribe(Filter, 0, 7, out _, earlier));
        await RefuseAsync(one, one.Session.SaveSubscriptionsAsync(["more", Filter]));
        await one.ReconnectAsync();

        Array.ForEach(before, b => one.Session.PutBack(b, earlier));
        var left = Assert.Single(one.Session.Subscriptions);
        Assert.Equal((Filter, QualityOfService.ExactlyOnce, 0u), (left.Filter, left.Qos, left.Identifier));
        one.PublishTo("more", 1, Qos1);
        one.Commit();
        Assert.Equal(1, Assert.Single(one.Rows.Deliveries.Values).Sequence);
    }

    [Fact]
    public async Task One_filter_twice_in_a_refused_SUBSCRIBE_leaves_nothing()
    {
        using var one = await SessionFixture.StartAsync();
        var first = one.Session.Backup("more");
        one.Session.Subscribe("more", 0, 0, out _, one.Epoch);
        var second = one.Session.Backup("more");
        one.Session.Subscribe("more", (byte)Qos1, 0, out _, one.Epoch);
        await RefuseAsync(one, one.Session.SaveSubscriptionsAsync(["more", "more"]));

        one.Session.PutBack(second, one.Epoch);
        Assert.Equal(QualityOfService.AtMostOnce, one.Session.Subscriptions.Single(static s => s.Filter == "more").Qos);
        one.Session.PutBack(first, one.Epoch);
        Assert.Equal(Filter, Assert.Single(one.Session.Subscriptions).Filter);
    }

    /// <summary>A client that has got the first of many retained messages.</summary>
    private static async Task<RecordingLink> ReplayingAsync(SessionFixture one)
    {
        var link = one.Connect(receiveMaximum: 1);
        one.Session.AddReplay(NewReplay(one));
        await one.Broker.CommitUntilAsync(one.Session.SaveSubscriptionsAsync([Filter]));
        one.Session.BeginReplays();
        one.Commit();
        Assert.Equal([1], link.Numbers);
        Assert.Single(one.Rows.Replays);
        return link;
    }

    /// <summary>A SUBSCRIBE to what is subscribed to; what there was before.</summary>
    private static SubscriptionBackup SubscribeAgain(SessionFixture one)
    {
        var before = one.Session.Backup(Filter);
        Assert.NotNull(one.Session.Subscribe(Filter, (byte)QualityOfService.ExactlyOnce, 0, out _, one.Epoch));
        one.Session.AddReplay(NewReplay(one));
        return before;
    }

    private static RetainedReplay NewReplay(SessionFixture one)
    {
        var retained = new RetainedMessages(new RetainedOptions());
        foreach (var number in All)
        {
            retained.Set(ModelMessage.Of($"retained/{number}", number, Qos1, new MessageId(1, (ulong)number)));
        }

        var subscription = one.Session.Subscriptions.Single(static s => s.Filter == Filter);
        return new RetainedReplay(subscription, retained.Match(Filter), retained.Version);
    }

    private static void AcknowledgeOne(SessionFixture one, RecordingLink link)
    {
        var number = link.Published.Count + 1;
        one.Publish(Qos1, number);
        Assert.Equal(number, link.Published[^1].Number);
        one.Acknowledge(link, PacketType.PubAck, link.Published[^1].PacketId);
    }

    private static async Task RefuseAsync(SessionFixture one, Task saving)
    {
        one.Broker.Store.Fail();
        await Assert.ThrowsAnyAsync<StoreException>(() => saving);
    }
}
