using Broker.Grains.Storage;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <content>Commits whose outcome is not known at once, and batches that must be built again.</content>
public sealed partial class GroupCommitterTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_group_in_doubt_is_reported_when_its_outcome_is_known_and_not_before(bool committed)
    {
        var isKnown = false;
        var lost = 1;
        _target.Outcome = _ => lost-- > 0 ? new CommitInDoubtException("lost") : null;
        _target.Settlement = () => Volatile.Read(ref isKnown) ? committed : throw new StoreException("nobody to ask");
        var refusable = Post(1);
        var kept = Post(2, mustSucceed: true);
        _committer.Start();
        await EventuallyAsync(() => !_committer.IsAvailable, "unavailable");
        await Assert.ThrowsAsync<StoreException>(() => Bounded(Post(3)));
        Assert.False(refusable.Done.IsCompleted || kept.Done.IsCompleted);

        Volatile.Write(ref isKnown, true);
        await Bounded(kept);
        await EventuallyAsync(() => _committer.IsAvailable && refusable.Done.IsCompleted, "settled");
        Assert.Equal(committed, refusable.Done.IsCompletedSuccessfully);
        Assert.Equal(committed ? ["1,2"] : ["2"], _target.Committed.Select(group => string.Join(',', group)));
    }

    [Fact]
    public async Task Closing_in_doubt_refuses_what_nobody_can_tell()
    {
        _target.Outcome = _ => new CommitInDoubtException("lost");
        var write = Post(1, mustSucceed: true);
        _committer.Start();
        await EventuallyAsync(() => !_committer.IsAvailable, "unavailable");
        _committer.Dispose();

        await Assert.ThrowsAsync<StoreException>(() => Bounded(write));
        Assert.Equal(0, _metrics.PendingWrites);
    }

    [Fact]
    public async Task A_stale_batch_is_taken_back_last_first_and_built_again()
    {
        var stale = 2;
        var events = new List<string>();
        _target.Outcome = _ => stale-- > 0 ? new StaleBatchException("changed") : null;
        var writes = Enumerable.Range(1, 2).Select(i => new TestWrite(batch =>
        {
            events.Add($"+{i}");
            batch.PutLastAlive(i);
        })
        {
            Retracting = () => events.Add($"-{i}"),
        }).ToList();
        writes.ForEach(_committer.Post);
        _committer.Start();
        await All(writes);

        Assert.Equal(["+1", "+2", "-2", "-1", "+1", "+2", "-2", "-1", "+1", "+2"], events);
        Assert.Equal(0, _metrics.FailedCommits);
    }

    [Fact]
    public async Task A_write_that_another_owner_fences_is_told_so_and_harms_no_other()
    {
        var fenced = new TestWrite(_ => throw new SessionFencedException(7));
        var other = Post(1);
        _committer.Post(fenced);
        _committer.Start();

        await Bounded(other);
        Assert.Equal(7, (await Assert.ThrowsAsync<SessionFencedException>(() => Bounded(fenced))).Session);
        Assert.Empty(_logger.Lines);
    }
}
