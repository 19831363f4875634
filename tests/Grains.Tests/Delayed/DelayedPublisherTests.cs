using Broker.Grains.Delayed;
using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.Alarms;
using Broker.Grains.Tests.SessionModel;
using Broker.Grains.Tests.SessionRules;
using Broker.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Grains.Tests.Delayed;

/// <summary>What becomes of a delayed message at each commit, with a broker that may die between any two.</summary>
public sealed class DelayedPublisherTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public async Task Publisher_is_told_when_the_row_is_committed_and_nobody_gets_the_message_before_it_is_due()
    {
        using var one = await SessionFixture.StartAsync();
        await using var delayed = NewPublisher(one);
        var told = Publish(one, 5, QualityOfService.ExactlyOnce, 10);
        Assert.Empty(told.Reasons);
        one.Commit();
        Assert.Equal([ReasonCode.Success], told.Reasons);

        await PassAsync(one, delayed, TimeSpan.FromSeconds(9));
        Assert.Single(one.Rows.Delayed);
        Assert.Empty(one.Rows.Deliveries);
        await PassAsync(one, delayed, TimeSpan.FromSeconds(1));
        Assert.Empty(one.Rows.Delayed);
        Assert.Single(one.Rows.Deliveries);
        Assert.Equal(0, one.Broker.Delayed.Count);
    }

    [Fact]
    public async Task Row_goes_in_the_transaction_that_stores_the_deliveries()
    {
        using var one = await SessionFixture.StartAsync();
        await using (var delayed = NewPublisher(one))
        {
            Publish(one, 1, QualityOfService.ExactlyOnce, 10);
            one.Commit();
            _time.Pass(TimeSpan.FromSeconds(10));
            delayed.Tick();
            await Eventually(() => one.Broker.Store.Pending > 0);

            // The broker dies before the commit: the row is there, and no delivery.
            Assert.Single(one.Rows.Delayed);
            Assert.Empty(one.Rows.Deliveries);
        }

        using var two = SessionFixture.Restart(one);
        await two.Broker.Delayed.OpenAsync(CancellationToken.None);
        await using var again = NewPublisher(two);
        await PassAsync(two, again, TimeSpan.Zero);
        Assert.Empty(two.Rows.Delayed);
        Assert.Single(two.Rows.Deliveries);

        // It dies after the commit: nothing comes again.
        using var three = SessionFixture.Restart(two);
        await three.Broker.Delayed.OpenAsync(CancellationToken.None);
        await using var last = NewPublisher(three);
        await PassAsync(three, last, TimeSpan.FromHours(1));
        Assert.Single(three.Rows.Deliveries);
    }

    [Fact]
    public async Task Message_of_QoS_0_is_not_sent_before_its_row_has_gone()
    {
        using var one = await SessionFixture.StartAsync();
        var link = one.Connect();
        await using var delayed = NewPublisher(one);
        Publish(one, 3, QualityOfService.AtMostOnce, 1);
        one.Commit();
        Assert.Single(one.Rows.Delayed);
        _time.Pass(TimeSpan.FromSeconds(1));
        delayed.Tick();
        await Eventually(() => one.Broker.Store.Pending > 0);
        Assert.Empty(link.Numbers);

        one.Commit();
        await Eventually(() => link.Numbers.Any());
        Assert.Equal([3], link.Numbers);
        Assert.Empty(one.Rows.Delayed);
    }

    [Fact]
    public async Task Messages_go_in_the_order_in_which_they_are_due_also_more_than_are_taken_at_a_time()
    {
        const int Count = 2_500;
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxQueued = 0 });
        await using var delayed = NewPublisher(one);
        for (var i = 0; i < Count; i++)
        {
            Publish(one, i, QualityOfService.AtLeastOnce, (uint)(1 + (i % 2)));
        }

        one.Commit();
        await PassAsync(one, delayed, TimeSpan.FromSeconds(2));

        var order = one.Rows.Deliveries.Values.OrderBy(static d => d.Sequence).Select(d => ModelMessage.NumberOf(new PublishSource(one.Rows.Messages[d.Message].Message)));
        Assert.Equal(Enumerable.Range(0, Count).OrderBy(static i => i % 2), order);
    }

    [Fact]
    public async Task Message_that_has_expired_by_then_is_dropped_and_counted()
    {
        using var one = await SessionFixture.StartAsync();
        await using var delayed = NewPublisher(one);
        Publish(one, 1, QualityOfService.AtLeastOnce, 10, expiresIn: 5);
        one.Commit();
        await PassAsync(one, delayed, TimeSpan.FromSeconds(10));

        Assert.Empty(one.Rows.Delayed);
        Assert.Empty(one.Rows.Deliveries);
        Assert.Equal(1, one.Broker.Drops.Count(DropReason.Expired));

        // The commit may be done before the publisher looks whether it is; then its own thread gives the place back.
        await Eventually(() => one.Broker.Delayed.Count == 0);
    }

    [Fact]
    public async Task Store_that_refuses_the_row_leaves_no_message_and_no_place_taken()
    {
        using var one = await SessionFixture.StartAsync();
        var told = Publish(one, 1, QualityOfService.AtLeastOnce, 10);
        Assert.Equal(1, one.Broker.Delayed.Count);
        one.Broker.Store.Fail();

        Assert.NotEqual(ReasonCode.Success, Assert.Single(told.Reasons));
        Assert.Equal(0, one.Broker.Delayed.Count);
    }

    [Fact]
    public async Task Messages_that_are_due_wait_in_the_store_while_it_takes_no_commits()
    {
        using var one = await SessionFixture.StartAsync();
        await using var delayed = NewPublisher(one);
        Publish(one, 1, QualityOfService.AtLeastOnce, 1);
        one.Commit();
        one.Broker.Store.IsAvailable = false;
        _time.Pass(TimeSpan.FromSeconds(1));
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        delayed.Tick();

        // It has looked, and looks again later.
        await Eventually(() => !one.Broker.Delayed.IsAnythingDue(now) && one.Broker.Delayed.IsAnythingDue(now + 1_000));
        Assert.Equal(0, one.Broker.Store.Pending);

        one.Broker.Store.IsAvailable = true;
        await PassAsync(one, delayed, TimeSpan.FromSeconds(1));
        Assert.Empty(one.Rows.Delayed);
        Assert.Single(one.Rows.Deliveries);
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (var i = 0; !condition(); i++)
        {
            Assert.True(i < 2_000, "did not happen");
            await Task.Delay(1);
        }
    }

    private Told Publish(SessionFixture one, int number, QualityOfService qos, uint seconds, int? expiresIn = null)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var plain = ModelMessage.Of("t", number, qos, new MessageId((ulong)number + 1, 1));
        var told = new Told();
        one.Broker.Publish(
            new ApplicationMessage(plain.Bytes.ToArray(), plain.TopicLength, plain.PropertiesLength)
            {
                Id = qos == QualityOfService.AtMostOnce ? MessageId.None : plain.Id,
                Qos = qos,
                Publisher = "p",
                PublishAt = now + (seconds * 1000L),
                ExpiresAt = expiresIn is { } left ? now + (left * 1000L) : long.MaxValue,
            },
            told);
        return told;
    }

    private DelayedPublisher NewPublisher(SessionFixture one)
    {
        var ids = new MessageIdSource(one.Broker.Store, _time);
        var broker = new BrokerPublisher(one.Broker.Router, one.Broker.Environment.Index, one.Broker.Environment.Shared, one.Broker.Store, ids);
        return new DelayedPublisher(
            one.Broker.Router, broker, one.Broker.Store, ids, one.Broker.Delayed, one.Broker.Drops, _time, NullLogger<DelayedPublisher>.Instance);
    }

    /// <summary>Time passes, and the store commits until nothing is due any more.</summary>
    private async Task PassAsync(SessionFixture one, DelayedPublisher delayed, TimeSpan time)
    {
        _time.Pass(time);
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        for (var i = 0; i < 2_000; i++)
        {
            delayed.Tick();
            await Task.Delay(1);
            one.Broker.Store.Commit();
            if (!one.Broker.Delayed.IsAnythingDue(now) && one.Broker.Store.Pending == 0 && !one.Rows.Delayed.Values.Any(row => row.Due <= now))
            {
                return;
            }
        }

        Assert.Fail("Messages that are due stay.");
    }

    private sealed class Told : IPublishWaiter
    {
        public List<ReasonCode> Reasons { get; } = [];

        public void Published(ReasonCode reason) => Reasons.Add(reason);
    }
}
