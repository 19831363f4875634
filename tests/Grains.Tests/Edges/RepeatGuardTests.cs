using Broker.Grains.Edges;
using Xunit;

namespace Broker.Grains.Tests.Edges;

public sealed class RepeatGuardTests
{
    private static readonly Guid First = Guid.NewGuid();
    private static readonly Guid Second = Guid.NewGuid();

    private readonly RepeatGuard<int> _guard = new(capacity: 2);
    private int _handled;

    [Fact]
    public async Task A_repeated_batch_gets_the_first_answer()
    {
        Assert.Equal(1, await HandleAsync(First, 1));
        Assert.Equal(1, await HandleAsync(First, 1));
        Assert.Equal(2, await HandleAsync(First, 2));
        Assert.Equal(-1, await HandleAsync(First, 1));
        Assert.Equal(3, await HandleAsync(Second, 1));
        Assert.Equal(2, _guard.Repeats);
    }

    [Fact]
    public async Task A_repeat_joins_a_batch_that_is_still_handled()
    {
        var answer = new TaskCompletionSource<int>();
        var first = _guard.Once(First, 1, -1, () => answer.Task);
        var second = _guard.Once(First, 1, -1, () => throw new InvalidOperationException("Handled twice."));
        Assert.False(second.IsCompleted);

        answer.SetResult(7);

        Assert.Equal((int[])[7, 7], await Task.WhenAll(first, second));
    }

    [Fact]
    public async Task A_batch_that_failed_is_handled_again()
    {
        await Assert.ThrowsAsync<TimeoutException>(() => _guard.Once(First, 1, -1, () => throw new TimeoutException()));
        Assert.Equal(1, await HandleAsync(First, 1));
    }

    [Fact]
    public async Task The_edge_that_was_silent_longest_is_forgotten_first()
    {
        await HandleAsync(First, 1);
        await HandleAsync(Second, 1);
        await HandleAsync(First, 2);
        await HandleAsync(Guid.NewGuid(), 1);

        Assert.Equal(3, await HandleAsync(First, 2));
        Assert.Equal(5, await HandleAsync(Second, 1));
    }

    private Task<int> HandleAsync(Guid edge, long number) =>
        _guard.Once(edge, number, -1, () => Task.FromResult(++_handled));
}
