using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.Cluster;
using Broker.Grains.Tests.SessionModel;
using Broker.Grains.Tests.Storage;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>
/// A session moves to another silo, and what is held back for it is flushed, while a publish that it has got is still being routed to
/// others: the acknowledgement waits for those as well (promise 1).
/// </summary>
public sealed class UnsealedRecordTests : IDisposable
{
    private const QualityOfService Qos1 = QualityOfService.AtLeastOnce;
    private const int Races = 2_000;

    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    private readonly ModelBroker _broker = new(new MemoryRows(), new SessionOptions(), Never);
    private readonly AckGraceQueue _grace = new(new StoreOptions { AckGrace = Never });
    private readonly PublisherRecords _records = new();
    private ulong _lastId;

    [Fact]
    public async Task Delivery_that_joins_after_a_flush_is_committed_before_the_acknowledgement()
    {
        var (moving, _) = await ConnectedAsync("moving");
        var dormant = await DormantAsync();
        var publish = Begin();
        publish.To(moving);
        moving.PostPending();
        _broker.Store.Commit();

        publish.To(dormant);
        End(publish);
        Assert.Null(publish.Outcome.Reason);

        _broker.Store.Commit();
        Assert.Equal(ReasonCode.Success, publish.Outcome.Reason);
        Assert.Equal(2, _broker.Rows.Deliveries.Count);
        await _broker.CommitUntilAsync(dormant.LoadAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Delivery_that_joins_during_the_commit_after_a_flush_is_committed_before_the_acknowledgement()
    {
        var (moving, _) = await ConnectedAsync("moving");
        var dormant = await DormantAsync();
        var publish = Begin();
        publish.To(moving);
        moving.PostPending();

        // On the writer's thread, when it has taken what was posted before and none of that is committed yet.
        _broker.Store.Post(new TestWrite(_ =>
        {
            publish.To(dormant);
            End(publish);
        }));
        _broker.Store.Commit();
        Assert.Null(publish.Outcome.Reason);

        _broker.Store.Commit();
        Assert.Equal(ReasonCode.Success, publish.Outcome.Reason);
        Assert.Equal(2, _broker.Rows.Deliveries.Count);
    }

    [Fact]
    public async Task Rows_that_join_after_a_flush_are_written()
    {
        var (moving, _) = await ConnectedAsync("moving");
        var publish = Begin();
        publish.To(moving);
        moving.PostPending();
        _broker.Store.Commit();

        // As a Will does, whose own row goes with its publication.
        var committed = 0;
        publish.Record!.AddRows(batch => batch.PutItem(new Broker.Grains.Storage.ItemRow("kind", "key", 1, [])), () => committed++);
        End(publish);
        _broker.Store.Commit();

        Assert.Equal(1, committed);
        Assert.Single(_broker.Rows.Items);
        Assert.Equal(ReasonCode.Success, publish.Outcome.Reason);
    }

    [Fact]
    public async Task Other_silos_have_their_turn_after_a_flush_and_the_gate_is_left()
    {
        using var others = new OtherSilos(_broker.Store, new RecordingInbox());
        var (moving, _) = await ConnectedAsync("moving");
        var publish = Begin();
        publish.To(moving);
        moving.PostPending();
        _broker.Store.Commit();
        publish.Record!.ForwardOnceCommitted(others.Routing, others.Gate.Enter());
        End(publish);
        var passed = others.Gate.PassedAsync();
        Assert.False(passed.IsCompleted);

        _broker.Store.Commit();
        await passed.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(ReasonCode.Success, publish.Outcome.Reason);
    }

    [Fact]
    public async Task Flushed_record_is_written_at_once_when_it_is_sealed_and_behind_what_its_publisher_sent_before()
    {
        var (moving, _) = await ConnectedAsync("moving");
        var (staying, _) = await ConnectedAsync("staying");
        var earlier = Begin();
        earlier.To(staying);
        End(earlier);
        var flushed = Begin();
        flushed.To(moving);
        flushed.To(staying);
        Assert.Equal(0, _broker.Store.Pending);

        moving.PostPending();
        Assert.Equal(0, _broker.Store.Pending);
        End(flushed);
        Assert.Equal(2, _broker.Store.Pending);

        ReasonCode? earlierAtCommit = null;
        flushed.Record!.Wait(new Observer(() => earlierAtCommit = earlier.Outcome.Reason));
        _broker.Store.Commit();
        Assert.Equal(ReasonCode.Success, earlierAtCommit);
        Assert.Equal(ReasonCode.Success, flushed.Outcome.Reason);
    }

    [Fact]
    public async Task Flush_at_the_moment_of_sealing_leaves_nothing_held_back()
    {
        var (moving, link) = await ConnectedAsync("moving");
        using var start = new Barrier(2);
        var publishes = Enumerable.Range(0, Races).Select(_ => Begin()).ToArray();
        var sealing = Task.Factory.StartNew(
            () =>
            {
                for (var race = 0; race < Races; race++)
                {
                    start.SignalAndWait();
                    Thread.SpinWait(race % 7 * 10);
                    End(publishes[race]);
                    start.SignalAndWait();
                }
            },
            TaskCreationOptions.LongRunning);
        for (var race = 0; race < Races; race++)
        {
            publishes[race].To(moving);
            start.SignalAndWait();
            Thread.SpinWait(race / 7 % 7 * 10);
            moving.PostPending();
            start.SignalAndWait();

            Assert.Equal(1, _broker.Store.Pending);
            _broker.Store.Commit();
            Assert.Equal(ReasonCode.Success, publishes[race].Outcome.Reason);
            moving.Acknowledge(link, PacketType.PubAck, link.Published[^1].PacketId, ReasonCode.Success);
            _broker.Store.Commit();
        }

        await sealing;
    }

    public void Dispose()
    {
        _grace.Dispose();
        _broker.Dispose();
    }

    private Publish Begin() => new(ModelMessage.Of("t", 1, Qos1, new MessageId(1, ++_lastId)));

    /// <summary>What a connection does when its message has been routed.</summary>
    private void End(Publish publish)
    {
        publish.Record!.Wait(publish.Outcome);
        publish.Record.Seal();
        _records.Dispatch(publish.Record, _grace);
    }

    /// <summary>A client that is connected, and counts as one that acknowledges fast.</summary>
    private async Task<(Session Session, RecordingLink Link)> ConnectedAsync(string clientId)
    {
        var (session, grant) = await _broker.ConnectAsync(clientId);
        var link = new RecordingLink();
        Assert.True(session.Attach(link, grant.Epoch, ushort.MaxValue));
        return (session, link);
    }

    private async Task<Session> DormantAsync()
    {
        var (session, _) = await _broker.ConnectAsync("dormant");
        Assert.True(session.TryUnload());
        return session;
    }

    /// <summary>A message on its way from one session to the next.</summary>
    private sealed class Publish(ApplicationMessage message)
    {
        private PublishRecord? _record;

        public PublishRecord? Record => _record;

        public PublishOutcome Outcome { get; } = new();

        public void To(Session session)
        {
            var source = new PublishSource(message);
            Assert.True(session.Deliver(ref source, Qos1, retain: false, [], ref _record));
        }
    }

    private sealed class Observer(Action published) : IPublishWaiter
    {
        public void Published(ReasonCode reason) => published();
    }
}
