using System.Collections.Concurrent;
using Broker.Grains.Shared.Cluster;
using Xunit;

namespace Broker.Grains.Tests.Shared;

/// <summary>What is to be looked at later is looked at by one loop.</summary>
public sealed class DelayedReviewsTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Each_is_looked_at_once_in_order_and_one_at_a_time()
    {
        var seen = new ConcurrentQueue<string>();
        var atOnce = 0;
        var most = 0;
        var last = new TaskCompletionSource();
        var reviews = new DelayedReviews<string>(Delay, TimeProvider.System, async item =>
        {
            most = Math.Max(most, Interlocked.Increment(ref atOnce));
            await Task.Yield();
            seen.Enqueue(item);
            Interlocked.Decrement(ref atOnce);
            if (item == "99")
            {
                last.SetResult();
            }

            return true;
        });
        List<string> items = [.. Enumerable.Range(0, 100).Select(static i => $"{i}")];

        items.ForEach(reviews.Add);
        items.ForEach(reviews.Add);
        await last.Task.WaitAsync(Limit);

        Assert.Equal(items, seen);
        Assert.Equal(1, most);
        Assert.Equal(0, reviews.Count);
    }

    [Fact]
    public async Task What_is_not_done_is_looked_at_again_and_a_later_one_starts_the_loop_anew()
    {
        var calls = 0;
        var done = new TaskCompletionSource();
        var reviews = new DelayedReviews<string>(Delay, TimeProvider.System, item =>
        {
            var isDone = item == "other" || ++calls == 3;
            if (isDone)
            {
                done.SetResult();
            }

            return Task.FromResult(isDone);
        });

        reviews.Add("again");
        await done.Task.WaitAsync(Limit);
        Assert.Equal(3, calls);

        done = new TaskCompletionSource();
        reviews.Add("other");
        await done.Task.WaitAsync(Limit);
    }

    [Fact]
    public async Task Added_again_it_waits_anew()
    {
        var seen = new TaskCompletionSource<TimeSpan>();
        var start = TimeProvider.System.GetTimestamp();
        var reviews = new DelayedReviews<string>(Long, TimeProvider.System, _ =>
        {
            seen.SetResult(TimeProvider.System.GetElapsedTime(start));
            return Task.FromResult(true);
        });
        reviews.Add("a");
        await Task.Delay(TimeSpan.FromMilliseconds(300));
        start = TimeProvider.System.GetTimestamp();
        reviews.Add("a");

        Assert.True(await seen.Task.WaitAsync(Limit) >= Long - TimeSpan.FromMilliseconds(5));
    }
}
