using Broker.Grains.Storage;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>A target that neither answers nor fails.</summary>
public sealed class GroupCommitterSilenceTests : IDisposable
{
    private readonly ScriptedTarget _target = new();
    private readonly RecordingLogger<GroupCommitter> _logger = new();
    private readonly StoreMetrics _metrics = new();
    private readonly ManualResetEventSlim _answer = new();
    private readonly GroupCommitter _committer;

    public GroupCommitterSilenceTests()
    {
        _target.Outcome = _ =>
        {
            _answer.Wait();
            return null;
        };
        _committer = new GroupCommitter(
            _target,
            new GroupCommitterOptions
            {
                MaximumPendingBytes = 1 << 20,
                MaximumPendingWrites = 1000,
                MaximumBatchWrites = 4,
                MaximumBatchBytes = 1000,
                AnswerTime = TimeSpan.FromMilliseconds(300),
                CloseTime = TimeSpan.FromMilliseconds(300),
            },
            _metrics,
            _logger,
            TimeProvider.System);
    }

    public void Dispose()
    {
        _answer.Set();
        _committer.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task What_waits_and_what_comes_is_refused_and_what_is_under_way_or_must_succeed_waits()
    {
        var underWay = Post(1);
        _committer.Start();
        await EventuallyAsync(() => _target.Attempts == 1, "the first commit is under way");
        var waits = Post(2);
        var kept = Post(3, mustSucceed: true);

        await Assert.ThrowsAsync<StoreException>(() => waits.Done.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.False(_committer.IsAvailable);
        await Assert.ThrowsAsync<StoreException>(() => Post(4).Done.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.False(underWay.Done.IsCompleted || kept.Done.IsCompleted);

        _answer.Set();
        await Task.WhenAll(underWay.Done, kept.Done).WaitAsync(TimeSpan.FromSeconds(30));
        await EventuallyAsync(() => _committer.IsAvailable, "available again");
        Assert.Equal(["1", "3"], _target.Committed.Select(group => string.Join(',', group)));
        Assert.Equal(2, _logger.Lines.Count);
    }

    [Fact]
    public async Task Closing_does_not_wait_for_it_and_refuses_what_has_not_begun()
    {
        var underWay = Post(1);
        _committer.Start();
        await EventuallyAsync(() => _target.Attempts == 1, "the first commit is under way");
        var waits = Post(2, mustSucceed: true);

        Assert.False(_committer.Close());

        await Assert.ThrowsAsync<StoreException>(() => waits.Done.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.False(underWay.Done.IsCompleted);
    }

    private TestWrite Post(int value, bool mustSucceed = false)
    {
        var write = new TestWrite(batch => batch.PutLastAlive(value), mustSucceed);
        _committer.Post(write);
        return write;
    }
}
