using Broker.Grains.Edges;
using Xunit;

namespace Broker.Grains.Tests.Edges;

public sealed class EdgeTests : IDisposable
{
    private readonly ScriptedTarget _target = new();
    private readonly EdgeMetrics _metrics = new("test");

    public void Dispose()
    {
        _metrics.Dispose();
        _target.Dispose();
    }

    [Fact]
    public async Task An_idle_edge_sends_batches_of_one()
    {
        var edge = Edge();
        for (var i = 0; i < 5; i++)
        {
            edge.Post(i);
            await AssertNextAsync(i + 1, i);
            _target.Answer();
            await UntilAsync(() => edge.Depth == 0);
        }

        Assert.Equal(1, _metrics.LargestBatch);
    }

    [Fact]
    public async Task What_comes_during_a_call_joins_the_next_one_in_order()
    {
        var edge = Edge();
        edge.Post(0);
        await NextAsync();
        foreach (var i in Enumerable.Range(1, 500))
        {
            Assert.Equal(PostResult.Taken, edge.Post(i));
        }

        _target.Answer();

        var (number, items) = await NextAsync();
        Assert.Equal(2, number);
        Assert.Equal(Enumerable.Range(1, 500), items);
    }

    [Fact]
    public async Task Drained_waits_for_what_was_posted_before_and_not_for_what_comes_after()
    {
        var edge = Edge();
        edge.Post(0);
        await NextAsync();
        var drained = edge.DrainedAsync();
        edge.Post(1);
        Assert.False(drained.IsCompleted);

        _target.Answer();
        await NextAsync();

        await drained.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(edge.DrainedAsync().IsCompleted);
    }

    [Fact]
    public async Task What_was_begun_may_go_over_the_bound()
    {
        var edge = Edge(new EdgeOptions { MaxItems = 2 });
        edge.Post(0);
        await NextAsync();
        edge.Post(1);
        Assert.Equal(PostResult.Full, edge.Post(2));
        Assert.Equal(PostResult.Taken, edge.Post(2, mayOverfill: true));

        _target.Answer();

        var (_, items) = await NextAsync();
        Assert.Equal(Enumerable.Range(1, 2), items);
    }

    [Fact]
    public async Task A_call_is_bounded_by_count_and_by_bytes()
    {
        var edge = Edge(new EdgeOptions { MaxBatchItems = 7 });
        await FillBehindACallAsync(edge, 20);
        Assert.Equal(7, (await NextAsync()).Items.Length);

        var byBytes = Edge(new EdgeOptions { MaxBatchBytes = 35 });
        await FillBehindACallAsync(byBytes, 20);
        Assert.Equal(3, (await NextAsync()).Items.Length);
    }

    [Theory]
    [InlineData(10, long.MaxValue)]
    [InlineData(int.MaxValue, 100L)]
    public async Task A_full_edge_refuses_and_lets_go_at_half(int maxItems, long maxBytes)
    {
        var edge = Edge(new EdgeOptions { MaxItems = maxItems, MaxBytes = maxBytes, MaxBatchItems = 3 });
        edge.Post(0);
        await NextAsync();
        for (var i = 1; i < 10; i++)
        {
            Assert.Equal(PostResult.Taken, edge.Post(i));
        }

        Assert.True(edge.IsFull);
        Assert.Equal(PostResult.Full, edge.Post(10));
        Assert.Equal((10, 100L), (edge.Depth, edge.Bytes));
        Assert.Equal((10, 100L), (_metrics.Depth, _metrics.Bytes));

        var room = edge.WaitForRoomAsync().AsTask();
        foreach (var left in (int[])[9, 6])
        {
            _target.Answer();
            await NextAsync();
            Assert.Equal(left, edge.Depth);
            Assert.False(room.IsCompleted);
        }

        _target.Answer();
        Assert.True(await room.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(PostResult.Taken, edge.Post(10));
    }

    [Fact]
    public async Task A_failed_batch_comes_again_alone_with_its_number()
    {
        var edge = Edge();
        edge.Post(0);
        await NextAsync();
        edge.Post(1);
        edge.Post(2);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            _target.Fail();
            await AssertNextAsync(1, 0);
        }

        _target.Answer();
        await AssertNextAsync(2, 1, 2);
        Assert.Equal(3, _metrics.Failures);
    }

    [Fact]
    public async Task When_the_target_is_gone_everything_is_given_back_once_in_order()
    {
        var edge = Edge(new EdgeOptions { MaxItems = 3 });
        edge.Post(0);
        await NextAsync();
        edge.Post(1);
        edge.Post(2);
        var room = edge.WaitForRoomAsync().AsTask();

        _target.IsGone = true;
        _target.Fail();

        Assert.Equal((int[])[0, 1, 2], await _target.GivenBack.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.False(await room);
        Assert.Equal(PostResult.Gone, edge.Post(3));
        Assert.Equal((0, 0L, 0L), (edge.Depth, edge.Bytes, _metrics.Depth));
    }

    [Fact]
    public async Task Closing_ends_the_pause_of_a_retry()
    {
        var edge = Edge(new EdgeOptions { FirstRetry = TimeSpan.FromHours(1), LastRetry = TimeSpan.FromHours(1) });
        edge.Post(0);
        await NextAsync();
        _target.Fail();
        edge.Close();

        Assert.Equal((int[])[0], await _target.GivenBack.Task.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Order_holds_and_nothing_is_handled_twice_under_random_failures()
    {
        const int Count = 20_000;
        var random = new Random(11);
        var guard = new RepeatGuard<bool>();
        var received = new List<int>();
        var edgeId = Guid.NewGuid();
        _target.Handler = async (items, number) =>
        {
            await Task.Yield();
            if (random.Next(8) == 0)
            {
                throw new TimeoutException("lost on the way there");
            }

            int[] copy = [.. items];
            await guard.Once(edgeId, number, false, () =>
            {
                received.AddRange(copy);
                return Task.FromResult(true);
            });
            if (random.Next(8) == 0)
            {
                throw new TimeoutException("lost on the way back");
            }
        };
        var edge = Edge(new EdgeOptions
        {
            MaxItems = 300, MaxBatchItems = 100, FirstRetry = TimeSpan.FromMilliseconds(1), LastRetry = TimeSpan.FromMilliseconds(2),
        });

        for (var i = 0; i < Count; i++)
        {
            Assert.True(await edge.PostAsync(i));
            Assert.InRange(edge.Depth, 0, 300);
        }

        await UntilAsync(() => edge.Depth == 0);
        Assert.Equal(Enumerable.Range(0, Count), received);
        Assert.True(guard.Repeats > 0);
        Assert.True(_metrics.Batches < Count, "Load makes batches.");
    }

    [Fact]
    public async Task Bounds_hold_with_many_posters()
    {
        _target.Handler = (_, _) => Task.Delay(1);
        var edge = Edge(new EdgeOptions { MaxItems = 50, MaxBatchItems = 20 });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 300; i++)
            {
                Assert.True(await edge.PostAsync(i));
                Assert.InRange(edge.Depth, 0, 50);
            }
        })));
        await UntilAsync(() => edge.Depth == 0);

        Assert.Equal(8 * 300, _metrics.Items);
        Assert.InRange(_metrics.LargestBatch, 2, 20);
    }

    [Fact]
    public void An_idle_edge_can_be_dropped()
    {
        var edge = Edge();
        Assert.True(edge.CloseIfIdle());
        Assert.Equal(PostResult.Gone, edge.Post(1));
    }

    private Edge<int> Edge(EdgeOptions? options = null) =>
        new(_target, options ?? new EdgeOptions(), _metrics, TimeProvider.System);

    private Task<(long Number, int[] Items)> NextAsync() => _target.NextCallAsync();

    private async Task AssertNextAsync(long number, params int[] items)
    {
        var call = await NextAsync();
        Assert.Equal(number, call.Number);
        Assert.Equal(items, call.Items);
    }

    private async Task FillBehindACallAsync(Edge<int> edge, int count)
    {
        edge.Post(-1);
        await NextAsync();
        for (var i = 0; i < count; i++)
        {
            edge.Post(i);
        }

        _target.Answer();
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var until = Environment.TickCount64 + 30_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < until, "Not in 30 s.");
            await Task.Delay(1);
        }
    }
}
