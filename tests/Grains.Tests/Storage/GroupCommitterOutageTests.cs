using Broker.Grains.Storage;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>
/// A target that is away for a while: what is posted waits, in order; when it is away for long what is posted is refused, and
/// then nothing overtakes what was refused.
/// </summary>
public sealed class GroupCommitterOutageTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly ScriptedTarget _target = new();
    private readonly StoreMetrics _metrics = new();
    private GroupCommitter? _committer;

    public void Dispose()
    {
        _committer?.Dispose();
        _metrics.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Short_outage_refuses_nothing_and_keeps_the_order(bool inDoubt)
    {
        Start(patience: Limit, pause: Limit);
        var failures = 3;
        _target.Outcome = _ => Interlocked.Decrement(ref failures) < 0 ? null
            : inDoubt ? new CommitInDoubtException("lost") : new StoreException("away");
        _target.Settlement = static () => false;
        var writes = new List<TestWrite>();
        for (var i = 1; i <= 6; i++)
        {
            writes.Add(Post(i, mustSucceed: i % 3 == 0));
            await EventuallyAsync(() => _target.Attempts > 0, "the first attempt");
        }

        await Task.WhenAll(writes.Select(static w => w.Done)).WaitAsync(Limit);
        Assert.Equal("1,2,3,4,5,6", string.Join(',', _target.Committed.Select(static group => string.Join(',', group))));
        Assert.True(_committer!.IsAvailable);
    }

    [Fact]
    public async Task Long_outage_refuses_and_what_comes_right_after_it_does_not_overtake()
    {
        Start(patience: TimeSpan.FromMilliseconds(200), pause: TimeSpan.FromSeconds(2));
        var isAway = true;
        _target.Outcome = _ => Volatile.Read(ref isAway) ? new StoreException("away") : null;
        var kept = Post(1, mustSucceed: true);
        var first = Post(2);
        await Assert.ThrowsAsync<StoreException>(() => first.Done.WaitAsync(Limit));

        Volatile.Write(ref isAway, false);
        await kept.Done.WaitAsync(Limit);
        await Assert.ThrowsAsync<StoreException>(() => Post(3).Done.WaitAsync(Limit));
        Assert.False(_committer!.IsAvailable);
        await Post(4, mustSucceed: true).Done.WaitAsync(Limit);

        await EventuallyAsync(() => _committer.IsAvailable, "the pause is over");
        await Post(5).Done.WaitAsync(Limit);
        Assert.Equal("1,4,5", string.Join(',', _target.Committed.Where(static group => group.Length > 0).Select(static group => string.Join(',', group))));
    }

    [Fact]
    public async Task Full_disk_that_others_refuse_for_as_well_refuses_what_comes_right_after_it()
    {
        Start(patience: Limit, pause: TimeSpan.FromSeconds(2));
        var isFull = true;
        _target.Outcome = _ => Volatile.Read(ref isFull) ? new FullException() : null;
        await Assert.ThrowsAsync<FullException>(() => Post(1).Done.WaitAsync(Limit));

        Volatile.Write(ref isFull, false);
        await Assert.ThrowsAnyAsync<StoreException>(() => Post(2).Done.WaitAsync(Limit));
        await EventuallyAsync(() => _committer!.IsAvailable, "the pause is over");
        await Post(3).Done.WaitAsync(Limit);
        Assert.Equal("3", string.Join(',', _target.Committed.Where(static group => group.Length > 0).Select(static group => string.Join(',', group))));
    }

    [Fact]
    public async Task Full_disk_is_not_waited_for_and_takes_what_fits_at_once()
    {
        Start(patience: Limit, pause: TimeSpan.Zero);
        var isFull = true;
        _target.Outcome = _ => Volatile.Read(ref isFull) ? new FullException() : null;
        var refusal = await Assert.ThrowsAsync<FullException>(() => Post(1).Done.WaitAsync(Limit));
        Assert.True(refusal.IsFull);

        Volatile.Write(ref isFull, false);
        await Post(2).Done.WaitAsync(Limit);
        Assert.True(_committer!.IsAvailable);
    }

    [Fact]
    public async Task Nobody_waits_for_room_while_what_is_posted_is_refused_and_what_is_posted_stays_bounded()
    {
        using var answer = new ManualResetEventSlim();
        var isAway = true;
        _target.Outcome = _ =>
        {
            answer.Wait();
            return Volatile.Read(ref isAway) ? new FullException() : null;
        };
        Start(patience: TimeSpan.Zero, pause: TimeSpan.Zero, pendingWrites: 5);
        var kept = Enumerable.Range(1, 10).Select(i => Post(i, mustSucceed: true)).ToList();
        Assert.True(_committer!.IsCongested);
        var waits = _committer.WaitUntilDrainedAsync(CancellationToken.None).AsTask();
        Assert.False(waits.IsCompleted);

        answer.Set();
        await waits.WaitAsync(Limit);
        Assert.False(_committer.IsCongested);
        answer.Reset();
        await EventuallyAsync(() => _target.Attempts > 1, "the next attempt, which gets no answer now");

        // Nobody comes to the queue to refuse it.
        var refusal = await Assert.ThrowsAsync<FullException>(() => Post(11).Done.WaitAsync(Limit));
        Assert.True(refusal.IsFull);
        Assert.All(kept, static write => Assert.False(write.Done.IsCompleted));

        Volatile.Write(ref isAway, false);
        answer.Set();
        await Task.WhenAll(kept.Select(static write => write.Done)).WaitAsync(Limit);
        await Post(12).Done.WaitAsync(Limit);
        Assert.False(_committer.IsCongested);
    }

    private void Start(TimeSpan patience, TimeSpan pause, int pendingWrites = 1000)
    {
        _committer = new GroupCommitter(
            _target,
            new GroupCommitterOptions
            {
                MaximumPendingBytes = 1 << 20,
                MaximumPendingWrites = pendingWrites,
                MaximumBatchWrites = 4,
                MaximumBatchBytes = 1000,
                OutagePatience = patience,
                RecoveryPause = pause,
            },
            _metrics,
            new RecordingLogger<GroupCommitter>(),
            TimeProvider.System);
        _committer.Start();
    }

    private TestWrite Post(int number, bool mustSucceed = false)
    {
        var write = new TestWrite(batch => batch.PutLastAlive(number), mustSucceed);
        _committer!.Post(write);
        return write;
    }

    private sealed class FullException() : StoreException("no room")
    {
        public override bool IsFull => true;
    }
}
