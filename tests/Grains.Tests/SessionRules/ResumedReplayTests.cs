using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Retained;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>
/// The broker dies in the middle of the retained messages of a new subscription: each reaches the subscriber, and what was published since
/// the subscription began reaches it once.
/// </summary>
public sealed class ResumedReplayTests
{
    private const string Client = "c";
    private const string Filter = "#";
    private const QualityOfService Qos2 = QualityOfService.ExactlyOnce;

    // What a replay puts into the queue at once, and more than that.
    private const int PageSize = 64;
    private const int Many = 70;

    private ulong _lastId;

    [Fact]
    public async Task What_was_published_since_a_replay_began_is_not_replayed_after_a_restart()
    {
        var rows = new MemoryRows();
        using (var before = NewBroker(rows))
        {
            await BeginAsync(before);

            // A topic that the replay has not reached, and one that it does not know.
            Retain(before, $"r/{Many}", 1_000);
            Retain(before, "new", 2_000);
            before.Store.Commit();
            Assert.Single(rows.Replays);
        }

        using var after = NewBroker(rows);
        var numbers = await ReceiveAsync(after);
        Assert.Equal([.. Enumerable.Range(1, Many - 1), 1_000, 2_000], numbers.Order());
        Assert.Empty(rows.Replays);
    }

    [Fact]
    public async Task Second_restart_leaves_out_the_same()
    {
        var rows = new MemoryRows();
        using (var before = NewBroker(rows))
        {
            await BeginAsync(before);
        }

        using (var between = NewBroker(rows))
        {
            Retain(between, $"r/{Many}", 1_000);
            between.Store.Commit();
        }

        using var after = NewBroker(rows);
        var numbers = await ReceiveAsync(after);
        Assert.Equal([.. Enumerable.Range(1, Many - 1), 1_000], numbers.Order());
    }

    [Fact]
    public async Task Replay_of_an_earlier_version_is_resumed_whole()
    {
        var rows = new MemoryRows();
        using (var before = NewBroker(rows))
        {
            await BeginAsync(before);
        }

        var (key, replay) = Assert.Single(rows.Replays);
        rows.Replays[key] = (replay.AfterNumber, MessageId.None);
        using var after = NewBroker(rows);
        Assert.Equal(Enumerable.Range(1, Many), await ReceiveAsync(after));
    }

    [Fact]
    public async Task Second_SUBSCRIBE_before_a_page_is_in_the_store_does_not_say_that_it_is()
    {
        var rows = new MemoryRows();
        using (var before = NewBroker(rows))
        {
            var (session, link) = await BeginAsync(before);
            Task saving;
            do
            {
                var sent = link.Published[^1];
                session.Acknowledge(link, PacketType.PubRec, sent.PacketId, ReasonCode.Success);
                before.Store.Commit();
                saving = session.SaveSubscriptionsAsync([Filter]);
                session.Acknowledge(link, PacketType.PubComp, sent.PacketId, ReasonCode.Success);
            }
            while (link.Published.Count < PageSize);

            // The last of the first page is in flight, so the second is on its way to the store, behind the subscription.
            before.Store.Commit(count: 1);
            await saving;
        }

        using var after = NewBroker(rows);
        Assert.Equal(Enumerable.Range(PageSize, Many - PageSize + 1), await ReceiveAsync(after));
    }

    [Fact]
    public async Task Second_SUBSCRIBE_before_a_resumed_replay_goes_on_does_not_begin_it_anew()
    {
        var rows = new MemoryRows();
        using (var before = NewBroker(rows))
        {
            await BeginAsync(before);
        }

        using (var between = NewBroker(rows))
        {
            var (session, grant) = await between.ConnectAsync(Client);
            Assert.True(session.Attach(new RecordingLink(), grant.Epoch, receiveMaximum: 1));
            await between.CommitUntilAsync(session.SaveSubscriptionsAsync([Filter]));
        }

        using var after = NewBroker(rows);
        Assert.Equal(Enumerable.Range(1, Many), await ReceiveAsync(after));
    }

    private static ModelBroker NewBroker(MemoryRows rows) => new(rows, new SessionOptions(), TimeSpan.Zero);

    /// <summary>A client subscribes and gets the first of what is retained.</summary>
    private async Task<(Session Session, RecordingLink Link)> BeginAsync(ModelBroker broker)
    {
        for (var number = 1; number <= Many; number++)
        {
            Retain(broker, $"r/{number}", number);
        }

        var (session, grant) = await broker.ConnectAsync(Client);
        var link = new RecordingLink();
        Assert.True(session.Attach(link, grant.Epoch, receiveMaximum: 1));
        RetainedReplay replay;
        lock (broker.Retained.Gate)
        {
            var subscription = session.Subscribe(Filter, (byte)Qos2, 0, out _);
            replay = new RetainedReplay(subscription!, broker.Retained.Match(Filter), broker.Retained.Version);
        }

        session.AddReplay(replay);
        await broker.CommitUntilAsync(session.SaveSubscriptionsAsync([Filter]));
        session.BeginReplays();
        broker.Store.Commit();
        return (session, link);
    }

    /// <summary>The client is back and completes everything that it is sent.</summary>
    private static async Task<List<int>> ReceiveAsync(ModelBroker broker)
    {
        var (session, grant) = await broker.ConnectAsync(Client);
        var link = new RecordingLink();
        Assert.True(session.Attach(link, grant.Epoch, ushort.MaxValue));
        var numbers = new List<int>();
        for (var quiet = 0; quiet < 3; quiet++)
        {
            broker.Store.Commit();
            for (; numbers.Count < link.Published.Count; quiet = 0)
            {
                var sent = link.Published[numbers.Count];
                numbers.Add(sent.Number);
                session.Acknowledge(link, PacketType.PubRec, sent.PacketId, ReasonCode.Success);
                broker.Store.Commit();
                session.Acknowledge(link, PacketType.PubComp, sent.PacketId, ReasonCode.Success);
            }
        }

        return numbers;
    }

    private void Retain(ModelBroker broker, string topic, int number)
    {
        var name = Encoding.UTF8.GetBytes(topic);
        var id = new MessageId(1_000_000, ++_lastId);
        broker.Publish(
            new ApplicationMessage([.. name, .. Encoding.UTF8.GetBytes($"{number}")], name.Length, 0) { Id = id, Qos = Qos2, Retain = true },
            new PublishOutcome());
    }
}
