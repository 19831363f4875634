using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>What a publisher is told when several silos and the store have a say.</summary>
public sealed class RecordOutcomeTests
{
    [Theory]
    [InlineData(ReasonCode.Success, InternalOutcome.Elsewhere, InternalOutcome.Elsewhere)]
    [InlineData(InternalOutcome.Elsewhere, ReasonCode.QuotaExceeded, ReasonCode.QuotaExceeded)]
    [InlineData(ReasonCode.QuotaExceeded, InternalOutcome.Elsewhere, ReasonCode.QuotaExceeded)]
    [InlineData(ReasonCode.QuotaExceeded, ReasonCode.UnspecifiedError, ReasonCode.QuotaExceeded)]
    public async Task First_refusal_counts_and_counts_more_than_a_session_that_has_gone(
        ReasonCode first, ReasonCode second, ReasonCode told)
    {
        using var one = await SessionFixture.StartAsync();
        var record = new PublishRecord(ModelMessage.Of("t", 1, QualityOfService.AtLeastOnce, new MessageId(1, 1)), 1, one.Broker.Store);
        var outcome = new PublishOutcome();
        record.Wait(outcome);
        record.Ask();
        record.Ask();
        record.Seal();

        record.Answered(first);
        Assert.Null(outcome.Reason);
        record.Answered(second);
        Assert.Equal(told, outcome.Reason);
    }

    [Fact]
    public async Task Nobody_waits_for_whoever_posts_the_record_which_a_store_may_refuse_at_once()
    {
        using var one = await SessionFixture.StartAsync();
        var record = new PublishRecord(ModelMessage.Of("t", 1, QualityOfService.AtLeastOnce, new MessageId(1, 1)), 1, one.Broker.Store);
        record.AddRows(static _ => { });
        record.Seal();

        // A thread that has the lock of a session, which the refusal wants, asks the record for its outcome.
        var outcome = new PublishOutcome();
        var hasAsked = false;
        one.Broker.Store.Posting = _ => hasAsked = Task.Run(() => record.Wait(outcome)).Wait(TimeSpan.FromSeconds(10));
        record.Post();
        Assert.True(hasAsked);

        one.Commit();
        Assert.Equal(ReasonCode.Success, outcome.Reason);
    }

    [Fact]
    public async Task Session_that_has_gone_has_gone_however_often_the_batch_is_built()
    {
        using var one = await SessionFixture.StartAsync();
        var message = ModelMessage.Of("t", 1, QualityOfService.AtLeastOnce, new MessageId(1, 1));
        var source = new PublishSource(message);
        PublishRecord? record = null;
        one.Broker.Router.Route(ref source, null, ref record);
        var outcome = new PublishOutcome();
        record!.Wait(outcome);
        record.Seal();
        one.Rows.PutSession(one.Rows.Sessions[one.Session.Number] with { Epoch = one.Session.Epoch + 1 });

        // A commit that fails, and is tried again.
        record.AddTo(one.Rows);
        record.AddTo(one.Rows);
        record.Complete(null);
        Assert.Equal(InternalOutcome.Elsewhere, outcome.Reason);
    }

    [Fact]
    public async Task Session_that_has_another_owner_is_not_deleted_by_the_former_one()
    {
        using var one = await SessionFixture.StartAsync();
        one.Publish(QualityOfService.AtLeastOnce, 1);
        one.Commit();
        one.Rows.PutSession(one.Rows.Sessions[one.Session.Number] with { Epoch = one.Session.Epoch + 1 });

        one.Broker.Sessions.End(one.Session);
        one.Commit();

        Assert.Single(one.Rows.Sessions);
        Assert.Single(one.Rows.Deliveries);
    }

    [Fact]
    public async Task Session_that_is_let_go_of_twice_gives_its_slot_back_once()
    {
        using var one = await SessionFixture.StartAsync();
        one.Broker.Sessions.Discard(one.Session);
        one.Broker.Sessions.Discard(one.Session);
        one.Broker.Sessions.End(one.Session);

        var first = one.Broker.Sessions.TryAddEphemeral("a");
        var second = one.Broker.Sessions.TryAddEphemeral("b");
        Assert.NotEqual(first!.Slot, second!.Slot);
    }

    [Fact]
    public async Task SUBSCRIBE_PUBREL_and_PUBREC_of_a_session_with_another_owner_do_not_succeed()
    {
        using var one = await SessionFixture.StartAsync();
        var link = one.Connect();
        one.Publish(QualityOfService.ExactlyOnce, 1);
        one.Commit();
        var packetId = Assert.Single(link.Published).PacketId;
        one.Session.BeginInbound(one.Epoch, 7, out _, out _);
        one.Rows.PutSession(one.Rows.Sessions[one.Session.Number] with { Epoch = one.Session.Epoch + 1 });

        var completed = 0;
        one.Acknowledge(link, PacketType.PubRec, packetId);
        Assert.True(one.Session.ReleaseInbound(one.Epoch, 7, () => completed++));
        one.Session.Subscribe("more", 0, 0, out _);
        var subscribed = one.Session.SaveSubscriptionsAsync(["more"]);
        one.Commit();

        Assert.Empty(link.Acknowledged);
        Assert.Equal(0, completed);
        await Assert.ThrowsAsync<Broker.Grains.Storage.SessionFencedException>(() => subscribed);
    }
}
