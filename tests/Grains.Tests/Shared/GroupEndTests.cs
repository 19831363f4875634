using Broker.Grains.Interfaces.Shared;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Grains.Storage;
using Broker.Grains.Tests.Cluster;
using Broker.Grains.Tests.SessionModel;
using Broker.Grains.Tests.SessionRules;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.Shared;

/// <summary>
/// A group without a member to be seen, which is not without a member: an UNSUBSCRIBE that may still be refused, a member whose
/// silo has died. What publishers are told is acknowledged meanwhile is there when the member is back.
/// </summary>
public sealed class GroupEndTests
{
    private const string Filter = "$share/g/t";

    [Fact]
    public async Task Two_leave_at_once_and_the_one_that_is_refused_finds_all_messages()
    {
        using var broker = NewBroker();
        var (kept, epoch) = await MemberAsync(broker, "kept");
        var (gone, _) = await MemberAsync(broker, "gone");
        await PublishAsync(broker, 1);

        var before = kept.Backup(Filter);
        Assert.True(kept.Unsubscribe(Filter));
        Assert.True(gone.Unsubscribe(Filter));
        await PublishAsync(broker, 2);
        var saving = gone.SaveSubscriptionsAsync([Filter]);
        await broker.CommitUntilAsync(saving);
        broker.Environment.Shared.Settled(gone, Filter);

        var refused = kept.SaveSubscriptionsAsync([Filter]);
        broker.Store.Fail();
        await Assert.ThrowsAnyAsync<StoreException>(() => refused);
        kept.PutBack(before, epoch);
        broker.Environment.Shared.Settled(kept, Filter);

        var link = new RecordingLink();
        Assert.True(kept.Attach(link, epoch, ushort.MaxValue));
        await UntilAsync(broker, () => link.Published.Count >= 2);
        Assert.Equal([(1, QualityOfService.AtLeastOnce), (2, QualityOfService.AtLeastOnce)], link.Published.Select(static p => (p.Number, p.Qos)));
    }

    [Fact]
    public async Task Group_ends_with_its_messages_when_the_last_of_them_is_committed()
    {
        using var broker = NewBroker();
        var (one, _) = await MemberAsync(broker, "one");
        var (two, _) = await MemberAsync(broker, "two");
        await PublishAsync(broker, 1);
        foreach (var member in new[] { one, two })
        {
            Assert.True(member.Unsubscribe(Filter));
            await broker.CommitUntilAsync(member.SaveSubscriptionsAsync([Filter]));
        }

        broker.Environment.Shared.Settled(two, Filter);
        Assert.NotNull(broker.Sessions.Find(Filter));
        broker.Environment.Shared.Settled(one, Filter);
        Assert.Null(broker.Sessions.Find(Filter));
    }

    [Fact]
    public async Task Group_from_the_store_keeps_what_comes_before_its_members_are_known()
    {
        using var broker = NewBroker();
        await MemberAsync(broker, "elsewhere");
        broker.Sessions.Discard(broker.Sessions.Find(Filter)!);
        var row = broker.Rows.Sessions.Values.Single(static s => s.ClientId == Filter);
        var group = broker.Sessions.Restore(Filter, row.Number, SessionState.Dormant);
        group.Restore(row, default);
        Assert.True(broker.Environment.Shared.Restore(group));
        await PublishAsync(broker, 1);

        // A member that wants less is not the one that the message is kept for.
        await MemberAsync(broker, "less", QualityOfService.AtMostOnce);
        await PublishAsync(broker, 2);
        Assert.Equal(
            [QualityOfService.AtLeastOnce, QualityOfService.AtLeastOnce],
            broker.Rows.Deliveries.Values.Where(d => d.Session == group.Number).Select(static d => d.Qos));
    }

    [Fact]
    public async Task What_a_member_elsewhere_says_of_messages_of_an_earlier_owner_is_not_about_those_that_come_now()
    {
        using var broker = NewBroker();
        await MemberAsync(broker, "elsewhere");
        broker.Sessions.Discard(broker.Sessions.Find(Filter)!);
        var row = broker.Rows.Sessions.Values.Single(static s => s.ClientId == Filter) with { Epoch = 2 };
        broker.Rows.Sessions[row.Number] = row;
        var session = broker.Sessions.Restore(Filter, row.Number, SessionState.Dormant);
        session.Restore(row, default);
        Assert.True(broker.Environment.Shared.Restore(session));
        await PublishAsync(broker, 1);

        // The first message of the earlier owner never had a row: its member acknowledges it only now.
        var group = broker.Environment.Shared.Find(Filter)!;
        group.Put([new Settlement(null, new LoanStub { Session = session, Group = row.Number, Sequence = 1 }, LoanOutcome.Acknowledged)]);
        group.Schedule();

        var (member, epoch) = await MemberAsync(broker, "later");
        var link = new RecordingLink();
        Assert.True(member.Attach(link, epoch, ushort.MaxValue));
        await UntilAsync(broker, () => link.Published.Count >= 1);
        Assert.Equal(1, Assert.Single(link.Published).Number);
    }

    [Fact]
    public async Task Silo_that_says_again_which_messages_its_members_hold_acknowledges_nothing_by_that()
    {
        using var broker = NewBroker();
        await MemberAsync(broker, "away");
        var group = broker.Environment.Shared.Find(Filter)!;
        using var others = new OtherSilos(broker.Store, new RecordingInbox());
        var peer = others.Add(2);
        var member = new SharedMemberState { ClientId = "there", Granted = QualityOfService.AtLeastOnce, IsDurable = false, IsConnected = true, Window = 10 };
        Assert.True(broker.Environment.Shared.Update(peer, Members()));
        await PublishAsync(broker, 1);
        var lent = broker.Rows.Deliveries.Values.Single(d => d.Session == group.Session.Number);
        Assert.True(group.IsLent(lent.Sequence));

        // It has looked for the group anew, and found it where it was.
        Assert.True(broker.Environment.Shared.Update(peer, Members(new SharedLoanHeld("there", lent.Sequence))));
        group.Drain();
        broker.Store.Commit();

        Assert.Single(broker.Rows.Deliveries.Values, d => d.Session == group.Session.Number);
        Assert.True(group.IsLent(lent.Sequence));

        SharedMembers Members(params SharedLoanHeld[] held) => new() { Group = group.Session.Number, Members = [member], Held = held };
    }

    private static ModelBroker NewBroker() =>
        new(new MemoryRows(), new SessionOptions { MaxQueued = 0, MaxQueuedBytes = 0 }, TimeSpan.Zero);

    private static async Task<(Session Session, long Epoch)> MemberAsync(
        ModelBroker broker, string clientId, QualityOfService qos = QualityOfService.AtLeastOnce)
    {
        var (session, grant) = await broker.ConnectAsync(clientId);
        session.Subscribe(Filter, (byte)qos, 0, out _);
        await broker.CommitUntilAsync(session.SaveSubscriptionsAsync([Filter]));
        return (session, grant.Epoch);
    }

    /// <summary>Publishes at QoS 1 and returns when it is acknowledged.</summary>
    private static async Task PublishAsync(ModelBroker broker, int number)
    {
        var outcome = new PublishOutcome();
        broker.Publish("t", number, QualityOfService.AtLeastOnce, outcome);
        await UntilAsync(broker, () => outcome.Reason is not null);
        Assert.Equal(ReasonCode.Success, outcome.Reason);
    }

    /// <summary>The store commits until a condition holds, or for some seconds.</summary>
    private static async Task UntilAsync(ModelBroker broker, Func<bool> condition)
    {
        for (var i = 0; i < 5000 && !condition(); i++)
        {
            broker.Store.Commit();
            await Task.Delay(1);
        }
    }
}
