using Broker.Grains.Storage;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <summary>What is asked while a batch is under way goes into the next one; each gets its own answer.</summary>
public sealed class GatheringTests : IDisposable
{
    private const int Most = 10;

    private readonly List<int[]> _batches = [];
    private readonly SemaphoreSlim _begun = new(0);
    private readonly SemaphoreSlim _goOn = new(0);
    private readonly Gathering<int, string> _gathering;

    public GatheringTests() => _gathering = new Gathering<int, string>(Most, RunAsync);

    public void Dispose()
    {
        _begun.Dispose();
        _goOn.Dispose();
    }

    [Fact]
    public async Task Who_asks_while_a_batch_is_under_way_is_answered_by_the_next_in_order()
    {
        var first = _gathering.AskAsync(0);
        Assert.True(await _begun.WaitAsync(TimeSpan.FromSeconds(10)));
        var others = Enumerable.Range(1, 15).Select(_gathering.AskAsync).ToArray();
        _goOn.Release(3);

        Assert.Equal("0", await first);
        Assert.Equal(Enumerable.Range(1, 15).Select(static n => $"{n}"), await Task.WhenAll(others));
        Assert.Equal([1, Most, 5], _batches.Select(static b => b.Length));
    }

    [Fact]
    public async Task One_that_cannot_be_answered_fails_alone_and_a_batch_that_throws_fails_whole()
    {
        _goOn.Release(10);
        var unanswered = await Assert.ThrowsAsync<InvalidOperationException>(() => _gathering.AskAsync(-1));
        Assert.Contains("without an answer", unanswered.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<TimeoutException>(() => _gathering.AskAsync(-2));
        Assert.Equal("7", await _gathering.AskAsync(7));
    }

    [Fact]
    public async Task As_many_batches_as_may_be_are_under_way_before_anything_is_gathered()
    {
        var gathering = new Gathering<int, string>(Most, RunAsync, parallel: 2);
        var asked = new List<Task<string>>();
        for (var item = 0; item < 2; item++)
        {
            asked.Add(gathering.AskAsync(item));
            Assert.True(await _begun.WaitAsync(TimeSpan.FromSeconds(10)));
        }

        asked.AddRange(Enumerable.Range(2, 5).Select(gathering.AskAsync));
        _goOn.Release(3);

        Assert.Equal(Enumerable.Range(0, 7).Select(static n => $"{n}"), await Task.WhenAll(asked));
        Assert.Equal([1, 1, 5], _batches.Select(static b => b.Length));
    }

    private async Task RunAsync(IReadOnlyList<Gathering<int, string>.Asked> batch)
    {
        lock (_batches)
        {
            _batches.Add([.. batch.Select(static a => a.Item)]);
        }

        _begun.Release();
        await _goOn.WaitAsync();
        foreach (var asked in batch)
        {
            if (asked.Item == -2)
            {
                throw new TimeoutException();
            }

            if (asked.Item >= 0)
            {
                asked.Set($"{asked.Item}");
            }
        }
    }
}
