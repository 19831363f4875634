using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Broker.Protocol;
using Orleans.TestingHost;
using Xunit;
using Xunit.Abstractions;

namespace Broker.Grains.Tests.Topics;

/// <summary>Topic grain, inboxes and edges between real silos in one process.</summary>
public sealed class TopicClusterTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Topic_grain_pulls_interest_from_all_silos_and_creates_nothing_durable()
    {
        await using var cluster = await TopicCluster.StartAsync();
        var (a, b) = (cluster.Silos[0], cluster.Silos[1]);
        await TopicCluster.SubscribeAsync(a, "one", QualityOfService.AtMostOnce, false, "t/+");
        await TopicCluster.SubscribeAsync(b, "two", QualityOfService.AtMostOnce, false, "t/+", "other");
        await TopicCluster.SubscribeAsync(b, "three", QualityOfService.AtLeastOnce, true, "t/+");
        var dormant = Find(b, "three");
        Assert.True(dormant.Detach(dormant.Epoch));
        Assert.False(cluster.IsActive("t/+"), "Subscribing must not activate a Topic grain.");
        var rows = Rows(cluster);

        var state = await cluster.Topic("t/+").GetState();
        var unknown = await cluster.Topic("never/subscribed").GetState();

        Assert.Equal("t/+", state.Filter);
        Assert.Equal(1, state.Dormant);
        Assert.All(state.Silos, s => Assert.True(s.IsKnown));
        Assert.Equal(
            [(a.SiloAddress.ToString(), 1, 0), (b.SiloAddress.ToString(), 1, 1)],
            state.Silos.Select(s => (s.Silo, s.Connected, s.Dormant)).OrderBy(s => s.Item3));
        Assert.Empty(unknown.Silos);
        Assert.True(cluster.IsActive("never/subscribed"));
        Assert.Equal(rows, Rows(cluster));
    }

    [Theory]
    [InlineData(QualityOfService.AtMostOnce, false)]
    [InlineData(QualityOfService.AtLeastOnce, false)]
    [InlineData(QualityOfService.AtLeastOnce, true)]
    public async Task Messages_reach_the_other_silo_exactly_once_and_in_order(QualityOfService qos, bool isDurable)
    {
        const int Count = 5_000;
        await using var cluster = await TopicCluster.StartAsync();
        var (a, b) = (cluster.Silos[0], cluster.Silos[1]);
        var here = await TopicCluster.SubscribeAsync(a, "here", qos, false, "x/#");
        var there = await TopicCluster.SubscribeAsync(b, "there", qos, isDurable, "x/#");
        var publisher = new Publisher(a);

        for (var i = 0; i < Count; i++)
        {
            await publisher.PublishAsync("x/#", MessageBatchCodecTests.Plain("x/y", i, qos));
        }

        Assert.All(await publisher.OutcomesAsync(), r => Assert.Equal(ReasonCode.Success, r));
        Assert.Equal(Enumerable.Range(0, Count), await there.ReceivedAsync(Count));
        Assert.Empty(here.Received);
        var edge = TopicCluster.Get<TopicEdges>(a).Metrics;
        var inbox = cluster.Silos.Select(s => TopicCluster.Get<InboxEdges>(s).Metrics).Single(m => m.Batches > 0);
        output.WriteLine(
            $"{qos}, durable {isDurable}: {Count} messages, {edge.Batches} calls to the Topic grain (largest {edge.LargestBatch}), "
            + $"{inbox.Batches} calls to the inbox; rows written there {TopicCluster.Get<StoreMetrics>(b).RowsWritten}");
        Assert.True(edge.Batches < Count / 2, "Load makes batches.");
    }

    [Fact]
    public async Task Messages_for_a_dormant_session_of_another_silo_are_committed_before_the_publisher_is_told()
    {
        const int Count = 2_000;
        await using var cluster = await TopicCluster.StartAsync();
        var b = cluster.Silos[1];
        await TopicCluster.SubscribeAsync(b, "away", QualityOfService.AtLeastOnce, true, "x");
        var session = Find(b, "away");
        Assert.True(session.Detach(session.Epoch));
        var publisher = new Publisher(cluster.Silos[0]);
        var committed = -TopicCluster.Get<StoreMetrics>(b).RowsWritten;

        for (var i = 0; i < Count; i++)
        {
            await publisher.PublishAsync("x", MessageBatchCodecTests.Plain("x", i));
        }

        Assert.All(await publisher.OutcomesAsync(), r => Assert.Equal(ReasonCode.Success, r));
        committed += TopicCluster.Get<StoreMetrics>(b).RowsWritten;
        var rows = await TopicCluster.Get<IMessageStore>(b).LoadDeliveriesAsync(session.Number, CancellationToken.None);
        var bodies = await TopicCluster.Get<IMessageStore>(b).LoadMessagesAsync([.. rows.Select(r => r.Message)], CancellationToken.None);
        Assert.Equal(Enumerable.Range(0, Count), rows.Select(r => BitConverter.ToInt32(bodies[r.Message].Payload)));
        output.WriteLine(
            $"dormant: {Count} messages, {TopicCluster.Get<TopicEdges>(cluster.Silos[0]).Metrics.Batches} calls to the Topic grain, "
            + $"{committed} rows in {TopicCluster.Get<StoreMetrics>(b).Commits} commits");
    }

    [Fact]
    public async Task A_lone_message_travels_alone()
    {
        await using var cluster = await TopicCluster.StartAsync();
        var there = await TopicCluster.SubscribeAsync(cluster.Silos[1], "there", QualityOfService.AtLeastOnce, false, "x");
        var publisher = new Publisher(cluster.Silos[0]);

        for (var i = 0; i < 20; i++)
        {
            await publisher.PublishAsync("x", MessageBatchCodecTests.Plain("x", i));
            await publisher.OutcomesAsync();
        }

        Assert.Equal(Enumerable.Range(0, 20), there.Received);
        Assert.Equal(20, TopicCluster.Get<TopicEdges>(cluster.Silos[0]).Metrics.Batches);
    }

    [Fact]
    public async Task A_message_that_comes_through_two_filters_is_delivered_once()
    {
        await using var cluster = await TopicCluster.StartAsync();
        var there = await TopicCluster.SubscribeAsync(cluster.Silos[1], "there", QualityOfService.AtLeastOnce, false, "x/y", "x/+");
        var publisher = new Publisher(cluster.Silos[0]);

        for (var i = 0; i < 200; i++)
        {
            var message = MessageBatchCodecTests.Plain("x/y", i);
            await publisher.PublishAsync("x/y", message);
            await publisher.PublishAsync("x/+", message);
        }

        await publisher.OutcomesAsync();
        Assert.Equal(Enumerable.Range(0, 200), await there.ReceivedAsync(200));
        Assert.Equal(200, TopicCluster.Get<RecentMessages>(cluster.Silos[1]).Repeats);
    }

    [Fact]
    public async Task A_repeated_call_is_answered_and_not_handled_again()
    {
        await using var cluster = await TopicCluster.StartAsync();
        var there = await TopicCluster.SubscribeAsync(cluster.Silos[1], "there", QualityOfService.AtLeastOnce, false, "x");
        var inbox = TopicCluster.Get<InboxClient>(cluster.Silos[0]).Of(cluster.Silos[1].SiloAddress);
        var batch = new EdgeBatch
        {
            Edge = Guid.NewGuid(),
            Number = 1,
            Batches = [MessageBatchCodec.Encode([MessageBatchCodecTests.Plain("x", 7)], ["x"], cluster.Silos[0].SiloAddress)],
        };
        var broken = batch with { Number = 2, Batches = [batch.Batches[0] with { Bytes = [1, 2, 3] }] };

        Assert.Null((await inbox.Deliver(batch)).Reasons);
        Assert.Null((await inbox.Deliver(batch)).Reasons);
        Assert.Equal(ReasonCode.UnspecifiedError, (await inbox.Deliver(broken)).ReasonOf(0));
        Assert.Equal([7], there.Received);
    }

    [Fact]
    public async Task Interest_that_comes_and_goes_is_told()
    {
        await using var cluster = await TopicCluster.StartAsync();
        var b = cluster.Silos[1];
        var watch = TopicCluster.Get<InterestWatch>(b);
        var publisher = new Publisher(cluster.Silos[0]);
        Assert.Empty((await cluster.Topic("x").GetState()).Silos);
        Assert.Equal(1, watch.Count);

        var there = await TopicCluster.SubscribeAsync(b, "there", QualityOfService.AtLeastOnce, false, "x");
        await watch.NoteChange("x");
        await publisher.PublishAsync("x", MessageBatchCodecTests.Plain("x", 1));
        await publisher.OutcomesAsync();
        Assert.Equal([1], there.Received);

        Assert.True(Find(b, "there").Unsubscribe("x"));
        await watch.NoteChange("x");
        await publisher.PublishAsync("x", MessageBatchCodecTests.Plain("x", 2));
        await publisher.OutcomesAsync();
        Assert.Equal(1, TopicCluster.Get<InboxDelivery>(b).Messages);

        // Not noted: found by the sweep.
        await TopicCluster.SubscribeAsync(b, "again", QualityOfService.AtLeastOnce, false, "x");
        var value = 3;
        while (TopicCluster.Get<InboxDelivery>(b).Messages == 1)
        {
            await publisher.PublishAsync("x", MessageBatchCodecTests.Plain("x", value++));
            await publisher.OutcomesAsync();
            await Task.Delay(50);
        }
    }

    [Fact]
    public async Task A_silo_that_stops_takes_its_interest_along_and_one_that_joins_is_asked()
    {
        await using var cluster = await TopicCluster.StartAsync();
        var (a, b) = (cluster.Silos[0], cluster.Silos[1]);
        await TopicCluster.SubscribeAsync(b, "there", QualityOfService.AtLeastOnce, false, "x");
        Assert.Single((await cluster.Topic("x").GetState()).Silos);

        await cluster.StopAsync(b);

        await TopicCluster.UntilAsync(() => !TopicCluster.Get<LiveSilos>(a).All.Contains(b.SiloAddress), () => "Still there.");
        Assert.Empty((await cluster.Topic("x").GetState()).Silos);
        var c = await cluster.AddSiloAsync();
        await TopicCluster.UntilAsync(() => TopicCluster.Get<LiveSilos>(a).All.Contains(c.SiloAddress), () => "Not there.");
        var joined = await TopicCluster.SubscribeAsync(c, "joined", QualityOfService.AtLeastOnce, false, "x");
        var publisher = new Publisher(a);
        await publisher.PublishAsync("x", MessageBatchCodecTests.Plain("x", 5));
        await publisher.OutcomesAsync();
        await TopicCluster.UntilAsync(() => joined.Count > 0, () => "The silo that joined was not asked.");
        Assert.Equal([5], joined.Received);
    }

    [Fact]
    public async Task Messages_for_a_killed_silo_are_given_up_and_the_others_go_on()
    {
        await using var cluster = await TopicCluster.StartAsync(3);
        var (a, b) = (cluster.Silos[0], cluster.Silos[1]);
        await TopicCluster.SubscribeAsync(b, "dies", QualityOfService.AtLeastOnce, false, "x");
        var lives = await TopicCluster.SubscribeAsync(cluster.Silos[2], "lives", QualityOfService.AtLeastOnce, false, "x");
        var publisher = new Publisher(a);
        await publisher.PublishAsync("x", MessageBatchCodecTests.Plain("x", 0));
        await publisher.OutcomesAsync();

        await cluster.KillAsync(b);
        for (var i = 1; i <= 100; i++)
        {
            await publisher.PublishAsync("x", MessageBatchCodecTests.Plain("x", i));
        }

        await publisher.OutcomesAsync();
        Assert.Equal(Enumerable.Range(0, 101), await lives.ReceivedAsync(101));
        Assert.DoesNotContain((await cluster.Topic("x").GetState()).Silos, s => s.Silo == b.SiloAddress.ToString());
    }

    private static Session Find(InProcessSiloHandle silo, string clientId) =>
        TopicCluster.Get<SessionTable>(silo).Find(clientId)!;

    private static long Rows(TopicCluster cluster) =>
        cluster.Silos.Sum(s => TopicCluster.Get<StoreMetrics>(s).RowsWritten + TopicCluster.Get<StoreMetrics>(s).PendingWrites);

    /// <summary>A connection that publishes: waits for room, and collects what it is told.</summary>
    private sealed class Publisher(InProcessSiloHandle silo)
    {
        private readonly TopicEdges _edges = TopicCluster.Get<TopicEdges>(silo);
        private readonly List<Task<ReasonCode>> _outcomes = [];

        public async Task PublishAsync(string filter, RoutedMessage message)
        {
            var waiter = new Waiter();
            while (_edges.Post(filter, message, waiter) != Broker.Grains.Edges.PostResult.Taken)
            {
                await _edges.WaitForRoomAsync(filter, CancellationToken.None);
            }

            _outcomes.Add(waiter.Outcome.Task);
        }

        public async Task<ReasonCode[]> OutcomesAsync()
        {
            var outcomes = await Task.WhenAll(_outcomes).WaitAsync(TimeSpan.FromSeconds(60));
            _outcomes.Clear();
            return outcomes;
        }

        private sealed class Waiter : IPublishWaiter
        {
            public TaskCompletionSource<ReasonCode> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

            public void Published(ReasonCode reason) => Outcome.SetResult(reason);
        }
    }
}
