using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>A QoS 2 message that its publisher may publish again: its row outlives the acknowledgement (promise 2).</summary>
public sealed class HoldBackRuleTests
{
    private static readonly MessageId Id = new(1, 2);

    [Fact]
    public async Task Row_stays_after_PUBCOMP_until_it_is_given_back()
    {
        using var one = await SessionFixture.StartAsync();
        var held = HoldBack(one);
        var link = one.Connect();
        Complete(one, link, Repeatable());

        Assert.Equal(Id, Assert.Single(one.Rows.Deliveries).Value.InDoubt);
        one.Session.EndHoldBack(Assert.Single(held));
        one.Commit();
        Assert.Empty(one.Rows.Deliveries);
        Assert.Empty(one.Rows.Messages);
    }

    [Fact]
    public async Task Held_back_delivery_takes_no_place_in_the_window_and_holds_up_nobody()
    {
        using var one = await SessionFixture.StartAsync();
        HoldBack(one);
        var link = one.Connect(receiveMaximum: 1);
        var first = Complete(one, link, Repeatable());
        Assert.Equal(ReasonCode.Success, first.Reason);

        one.Publish(QualityOfService.AtLeastOnce, 2);
        Assert.Equal([1, 2], link.Numbers);
    }

    [Fact]
    public async Task Session_with_a_held_back_row_stays_in_memory()
    {
        using var one = await SessionFixture.StartAsync();
        var held = HoldBack(one);
        Complete(one, one.Connect(), Repeatable());
        one.Disconnect();
        one.Commit();
        Assert.False(one.Session.TryUnload());

        one.Session.EndHoldBack(held[0]);
        one.Commit();
        Assert.True(one.Session.TryUnload());
    }

    [Fact]
    public async Task After_a_crash_the_row_still_says_that_the_session_has_the_message()
    {
        using var before = await SessionFixture.StartAsync();
        HoldBack(before);
        Complete(before, before.Connect(), Repeatable());

        using var one = SessionFixture.Restart(before);
        var held = HoldBack(one);
        var link = await one.ReconnectAsync();
        Assert.Empty(link.Published);
        one.Acknowledge(link, PacketType.PubComp, Assert.Single(link.Acknowledged).PacketId);
        one.Commit();

        Assert.Single(held);
        Assert.Equal(Id, Assert.Single(one.Rows.Deliveries).Value.InDoubt);
    }

    [Fact]
    public async Task Message_that_cannot_be_repeated_goes_with_its_PUBCOMP()
    {
        using var one = await SessionFixture.StartAsync();
        var held = HoldBack(one);
        Complete(one, one.Connect(), ModelMessage.Of("t", 1, QualityOfService.ExactlyOnce, Id));

        Assert.Empty(held);
        Assert.Empty(one.Rows.Deliveries);
    }

    [Fact]
    public async Task Publish_whose_publisher_has_another_owner_is_not_stored_for_anybody()
    {
        using var one = await SessionFixture.StartAsync();
        var (publisher, _) = await one.Broker.ConnectAsync("p");
        var source = new PublishSource(ModelMessage.Of("t", 1, QualityOfService.ExactlyOnce, Id));
        PublishRecord? record = one.Broker.Router.NewRecord(ref source);
        record.RememberInbound(publisher, 7);
        one.Rows.PutSession(one.Rows.Sessions[publisher.Number] with { Epoch = publisher.Epoch + 1 });

        var outcome = new PublishOutcome();
        one.Broker.Router.Route(ref source, publisher, ref record);
        record!.Wait(outcome);
        record.Seal();
        record.Post();
        one.Commit();

        Assert.True(outcome.Reason >= ReasonCode.UnspecifiedError);
        Assert.Empty(one.Rows.Deliveries);
        Assert.Empty(one.Rows.Inbound);
    }

    private static ApplicationMessage Repeatable() =>
        ModelMessage.Of("t", 1, QualityOfService.ExactlyOnce, MessageId.None).As(Id);

    private static List<Delivery> HoldBack(SessionFixture fixture)
    {
        var held = new List<Delivery>();
        fixture.Broker.Environment.HoldBack = held.Add;
        return held;
    }

    /// <summary>Publishes and takes the delivery through all its phases.</summary>
    private static PublishOutcome Complete(SessionFixture one, RecordingLink link, ApplicationMessage message)
    {
        var outcome = new PublishOutcome();
        one.Broker.Publish(message, outcome);
        one.Commit();
        var packetId = link.Published[^1].PacketId;
        one.Acknowledge(link, PacketType.PubRec, packetId);
        one.Commit();
        one.Acknowledge(link, PacketType.PubComp, packetId);
        one.Commit();
        return outcome;
    }
}
