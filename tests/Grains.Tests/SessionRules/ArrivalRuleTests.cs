using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>A session on its way here from another silo: what is said of messages that wait in it when it does not come.</summary>
public sealed class ArrivalRuleTests
{
    [Fact]
    public void Not_claimed_yet_what_waits_has_reached_the_silo_that_has_the_session()
    {
        using var broker = NewBroker();
        var (session, outcome) = Arriving(broker);
        broker.Sessions.Discard(session);
        Assert.Equal(ReasonCode.Success, outcome.Reason);
    }

    [Fact]
    public void Once_claimed_what_waits_may_be_nowhere_and_only_a_silo_in_its_time_may_say_otherwise()
    {
        using var broker = NewBroker();
        var (session, outcome) = Arriving(broker);
        session.NoteClaimed();
        broker.Sessions.Discard(session);
        Assert.Equal(InternalOutcome.Elsewhere, outcome.Reason);
    }

    [Fact]
    public void Session_that_was_let_go_does_not_arrive()
    {
        using var broker = NewBroker();
        var (session, _) = Arriving(broker);
        session.NoteClaimed();
        broker.Sessions.Discard(session);
        var row = new SessionRow(session.Number, "c", 2, uint.MaxValue, null, 0, ProtocolVersion.Mqtt5);
        Assert.Throws<InvalidOperationException>(() => session.EndArrival(row, default, static _ => false));
        Assert.Equal(SessionState.Ended, session.State);
        Assert.Null(broker.Sessions.Find("c"));
    }

    /// <summary>The other silo asks again when its answer was late: the epoch that it has read by then stays the one to take it with.</summary>
    [Fact]
    public async Task Session_departs_once_however_often_it_is_asked_for()
    {
        using var broker = NewBroker();
        var (session, grant) = await broker.ConnectAsync("c");
        Assert.Same(session, broker.Lifecycle.Depart("c"));
        var epoch = session.Epoch;
        Assert.True(epoch > grant.Epoch);
        var pending = broker.Store.Pending;

        Assert.Same(session, broker.Lifecycle.Depart("c"));
        Assert.Equal((epoch, pending), (session.Epoch, broker.Store.Pending));
    }

    private static ModelBroker NewBroker() => new(new MemoryRows(), new SessionOptions(), TimeSpan.Zero);

    /// <summary>An arriving session that a QoS 1 message waits in.</summary>
    private static (Session Session, PublishOutcome Outcome) Arriving(ModelBroker broker)
    {
        var session = broker.Sessions.Restore("c", broker.Store.NextSessionNumber(), SessionState.Arriving);
        session.BeginArrival();
        session.Subscribe("#", (byte)QualityOfService.AtLeastOnce, 0, out _);
        var source = new Broker.Grains.Messages.PublishSource(ModelMessage.Of("t", 1, QualityOfService.AtLeastOnce, default));
        PublishRecord? record = null;
        broker.Router.Route(ref source, null, ref record);
        Assert.NotNull(record);
        var outcome = new PublishOutcome();
        record.Wait(outcome);
        record.Seal();
        return (session, outcome);
    }
}
