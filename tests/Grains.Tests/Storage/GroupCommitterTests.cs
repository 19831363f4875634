using System.Diagnostics;
using Broker.Grains.Storage;
using Microsoft.Extensions.Logging;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>What the writer makes of failures, on a target that fails by script.</summary>
public sealed partial class GroupCommitterTests : IDisposable
{
    private readonly ScriptedTarget _target = new();
    private readonly RecordingLogger<GroupCommitter> _logger = new();
    private readonly StoreMetrics _metrics = new();
    private readonly GroupCommitter _committer;

    public GroupCommitterTests()
    {
        _committer = new GroupCommitter(
            _target,
            new GroupCommitterOptions
            {
                MaximumPendingBytes = 1 << 20,
                MaximumPendingWrites = 1000,
                MaximumBatchWrites = 4,
                MaximumBatchBytes = 1000,
            },
            _metrics,
            _logger,
            TimeProvider.System);
    }

    public void Dispose()
    {
        _committer.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task A_group_is_bounded_by_count_and_bytes()
    {
        var writes = Enumerable.Range(1, 6).Select(i => Post(i)).ToList();
        writes.Add(Post(7, bytes: 5000));
        writes.Add(Post(8, bytes: 600));
        writes.Add(Post(9, bytes: 600));
        _committer.Start();
        await All(writes);

        Assert.Equal(["1,2,3,4", "5,6", "7", "8", "9"], _target.Committed.Select(group => string.Join(',', group)));
    }

    [Fact]
    public async Task A_group_is_bounded_by_the_rows_of_its_writes()
    {
        int[] sizes = [2, 2, 1, 3, 9, 1, 3];
        var writes = sizes.Select((rows, i) => Post(i + 1, rows: rows)).ToList();
        _committer.Start();
        await All(writes);

        Assert.Equal(["1,2", "3,4", "5", "6,7"], _target.Committed.Select(group => string.Join(',', group)));
    }

    [Fact]
    public async Task A_failed_commit_refuses_what_may_fail_and_repeats_the_rest_in_order()
    {
        var failures = 3;
        _target.Outcome = _ => failures-- > 0 ? new StoreException("no space") : null;
        var refused = Post(1);
        var kept = Post(2, mustSucceed: true);
        var keptToo = Post(3, mustSucceed: true);
        _committer.Start();

        Assert.Equal("no space", (await Assert.ThrowsAsync<StoreException>(() => Bounded(refused))).Message);
        await All([kept, keptToo]);
        await EventuallyAsync(() => _committer.IsAvailable, "available again");
        Assert.Equal(["2,3"], _target.Committed.Select(group => string.Join(',', group)));
        Assert.Equal(3, _metrics.FailedCommits);
        Assert.Equal(1, _metrics.RefusedWrites);
    }

    [Fact]
    public async Task An_outage_is_logged_once_and_so_is_its_end()
    {
        var broken = true;
        _target.Outcome = _ => Volatile.Read(ref broken) ? new StoreException("no space") : null;
        _committer.Start();
        for (var i = 0; i < 5; i++)
        {
            var write = Post(i);
            await Assert.ThrowsAsync<StoreException>(() => Bounded(write));
            Assert.False(_committer.IsAvailable);
        }

        Volatile.Write(ref broken, false);
        await EventuallyAsync(() => _committer.IsAvailable, "recovers without being asked");
        await Bounded(Post(10));

        Assert.Equal([LogLevel.Error, LogLevel.Information], _logger.Lines.Select(line => line.Level));
        Assert.True(_metrics.FailedCommits >= 5);
    }

    [Fact]
    public async Task A_broken_store_is_not_tried_in_a_busy_loop()
    {
        _target.Outcome = _ => new StoreException("no space");
        _committer.Start();
        var clock = Stopwatch.StartNew();
        while (_target.Attempts < 2 || clock.ElapsedMilliseconds < 500)
        {
            var write = Post(1);
            await Assert.ThrowsAsync<StoreException>(() => Bounded(write));
        }

        // One every 50 ms, and two for the ends of the interval.
        var attempts = _target.Attempts;
        Assert.InRange(attempts, 2, (clock.ElapsedMilliseconds / 50) + 2);
    }

    [Fact]
    public async Task During_an_outage_everything_refusable_is_refused_however_much_is_kept()
    {
        _target.Outcome = _ => new StoreException("no space");
        var kept = Enumerable.Range(0, 10).Select(i => Post(i, mustSucceed: true)).ToList();
        var refused = Enumerable.Range(10, 10).Select(i => Post(i)).ToList();
        _committer.Start();
        foreach (var write in refused)
        {
            await Assert.ThrowsAsync<StoreException>(() => Bounded(write));
        }

        Assert.All(kept, write => Assert.False(write.Done.IsCompleted));
        _target.Outcome = _ => null;
        await All(kept);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (long)i), _target.Committed.SelectMany(group => group));
    }

    [Fact]
    public async Task A_write_that_can_never_be_stored_is_dropped_alone()
    {
        _target.Outcome = times => times.Contains(2) ? new InvalidDataException("constraint") : null;
        var writes = Enumerable.Range(1, 4).Select(i => Post(i, mustSucceed: true)).ToList();
        _committer.Start();

        await Assert.ThrowsAsync<InvalidDataException>(() => Bounded(writes[1]));
        await All([writes[0], writes[2], writes[3]]);
        Assert.True(_committer.IsAvailable);
        Assert.Equal([1L, 3L, 4L], _target.Committed.SelectMany(group => group));
    }

    [Fact]
    public async Task A_write_that_can_never_be_stored_is_found_during_an_outage_too()
    {
        var failures = 1;
        _target.Outcome = times => failures-- > 0 ? new StoreException("no space")
            : times.Contains(2) ? new InvalidDataException("constraint") : null;
        var writes = Enumerable.Range(1, 3).Select(i => Post(i, mustSucceed: true)).ToList();
        _committer.Start();

        await Assert.ThrowsAsync<InvalidDataException>(() => Bounded(writes[1]));
        await All([writes[0], writes[2]]);
        Assert.Equal([1L, 3L], _target.Committed.SelectMany(group => group));
    }

    [Fact]
    public async Task Closing_during_an_outage_ends_with_one_more_attempt()
    {
        _target.Outcome = _ => new StoreException("no space");
        var kept = Post(1, mustSucceed: true);
        _committer.Start();
        await EventuallyAsync(() => !_committer.IsAvailable, "unavailable");
        _committer.Dispose();

        await Assert.ThrowsAsync<StoreException>(() => Bounded(kept));
        Assert.Equal(0, _metrics.PendingWrites);
        Assert.Equal(0, _metrics.PendingBytes);
    }

    private static Task Bounded(TestWrite write) => write.Done.WaitAsync(TimeSpan.FromSeconds(30));

    private static Task All(IEnumerable<TestWrite> writes) => Task.WhenAll(writes.Select(Bounded));

    private TestWrite Post(long time, bool mustSucceed = false, int bytes = 64, int rows = 1)
    {
        var write = new TestWrite(batch => batch.PutLastAlive(time), mustSucceed, bytes) { RowCount = rows };
        _committer.Post(write);
        return write;
    }
}
