using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>
/// What becomes of the messages that a publisher had sent behind one that the store refuses: stored, or sent to a subscriber, they
/// would come before it when it is sent again (promise 3).
/// </summary>
public sealed class PublisherOrderTests
{
    private const QualityOfService Qos1 = QualityOfService.AtLeastOnce;

    [Fact]
    public async Task Publisher_that_ends_with_the_refusal_gets_nothing_stored_after_it()
    {
        using var one = await SessionFixture.StartAsync();
        var publisher = new PublisherRecords();
        var stored = Publish(one, publisher, 1);
        one.Commit();
        var refused = Publish(one, publisher, 2);
        var posted = Publish(one, publisher, 3);

        one.Broker.Store.Fail(count: 1);
        var late = Publish(one, publisher, 4);
        one.Commit();

        Assert.Equal(ReasonCode.Success, stored.Reason);
        Assert.All([refused, posted, late], outcome => Assert.Equal(ReasonCode.ImplementationSpecificError, outcome.Reason));

        // Its next connection, and anybody else, is not concerned.
        var repeated = Publish(one, new PublisherRecords(), 2);
        one.Commit();
        Assert.Equal(ReasonCode.Success, repeated.Reason);
        Assert.Equal([1, 2], one.Drain(one.Connect()));
    }

    [Fact]
    public async Task Message_that_is_committed_when_the_refusal_comes_goes_out()
    {
        using var one = await SessionFixture.StartAsync();
        var link = one.Connect();
        var publisher = new PublisherRecords();
        var elsewhere = new PublishSource(ModelMessage.Of("t", 1, Qos1, new MessageId(1, 1))) { Order = publisher };
        var refused = one.Broker.Router.NewRecord(ref elsewhere);
        refused.Ask();
        var committed = new PublishOutcome();
        one.Broker.Publish("t", 2, QualityOfService.ExactlyOnce, committed, publisher);

        one.Broker.Store.Commit(meanwhile: () => refused.Answered(ReasonCode.ImplementationSpecificError));

        Assert.Equal(ReasonCode.Success, committed.Reason);
        Assert.Equal([2], one.Drain(link));
    }

    // The client does not send it again, so what comes after it has its order without it [MQTT-4.4.0-2].
    [Fact]
    public async Task Publisher_that_is_told_gets_stored_what_it_sends_after_that()
    {
        using var one = await SessionFixture.StartAsync();
        var publisher = new PublisherRecords { EndsWithRefusal = false };
        var refused = Publish(one, publisher, 1);
        var posted = Publish(one, publisher, 2);

        one.Broker.Store.Fail(count: 1);
        var next = Publish(one, publisher, 3);
        one.Commit();

        Assert.All([refused, posted], outcome => Assert.Equal(ReasonCode.ImplementationSpecificError, outcome.Reason));
        Assert.Equal(ReasonCode.Success, next.Reason);
        Assert.Equal([3], one.Drain(one.Connect()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Subscriber_that_has_not_had_the_refused_message_is_not_sent_what_stood_behind_it(int failing)
    {
        using var one = await SessionFixture.StartAsync();
        var link = one.Connect(receiveMaximum: 1);
        var publisher = new PublisherRecords();
        Publish(one, publisher, 1);
        one.Commit();
        Publish(one, publisher, 2);
        Publish(one, publisher, 3);

        one.Broker.Store.Fail(failing);
        one.Acknowledge(link, PacketType.PubAck, link.Published[0].PacketId);
        Publish(one, publisher, 4);
        one.Commit();
        var next = new PublisherRecords();
        Publish(one, next, 2);
        Publish(one, next, 3);
        one.Commit();

        for (var i = 1; i < link.Published.Count; i++)
        {
            one.Acknowledge(link, PacketType.PubAck, link.Published[i].PacketId);
        }

        Assert.Equal([1, 2, 3], link.Numbers);
    }

    [Fact]
    public async Task Packet_ids_of_what_is_refused_with_it_are_free()
    {
        using var one = await SessionFixture.StartAsync();
        var (session, _) = await one.Broker.ConnectAsync("publisher");
        var publisher = new PublisherRecords();
        PublishOnce(one, publisher, session, 1);
        PublishOnce(one, publisher, session, 2);

        one.Broker.Store.Fail(count: 1);
        one.Commit();

        Assert.Equal(InboundStatus.New, session.BeginInbound(one.Epoch, 1, out _, out _));
        Assert.Equal(InboundStatus.New, session.BeginInbound(one.Epoch, 2, out _, out _));
        Assert.Empty(one.Rows.Inbound);
        Assert.Empty(one.Rows.Deliveries);
    }

    [Fact]
    public async Task Nobody_pays_for_a_refused_message_of_qos_0()
    {
        using var one = await SessionFixture.StartAsync();
        var publisher = new PublisherRecords();
        var source = new PublishSource(Retained()) { Order = publisher };
        PublishRecord? record = null;
        one.Broker.Router.Route(ref source, null, ref record);
        record!.Seal();
        record.Post();
        one.Broker.Store.Fail();

        var next = Publish(one, publisher, 1);
        one.Commit();

        Assert.Equal(ReasonCode.Success, next.Reason);

        static ApplicationMessage Retained()
        {
            var plain = ModelMessage.Of("t", 0, QualityOfService.AtMostOnce, new MessageId(1, 1));
            return new ApplicationMessage(plain.Bytes.ToArray(), plain.TopicLength, 0) { Id = plain.Id, Retain = true };
        }
    }

    private static PublishOutcome Publish(SessionFixture one, PublisherRecords publisher, int number)
    {
        var outcome = new PublishOutcome();
        one.Broker.Publish("t", number, Qos1, outcome, publisher);
        return outcome;
    }

    private static void PublishOnce(SessionFixture one, PublisherRecords publisher, Session session, ushort packetId)
    {
        Assert.Equal(InboundStatus.New, session.BeginInbound(one.Epoch, packetId, out _, out _));
        var id = new MessageId(1, packetId);
        var source = new PublishSource(ModelMessage.Of("t", packetId, QualityOfService.ExactlyOnce, id)) { Order = publisher };
        var record = one.Broker.Router.NewRecord(ref source);
        record.RememberInbound(session, packetId);
        Assert.True(session.SetInboundRecord(one.Epoch, packetId, record));
        var routed = record;
        one.Broker.Router.Route(ref source, session, ref routed);
        record.Seal();
        record.Post();
    }
}
