namespace Broker.Grains.Storage;

/// <summary>Limits of <see cref="GroupCommitter"/>.</summary>
internal sealed record GroupCommitterOptions
{
    /// <summary>Above so many bytes posted and uncommitted the store is congested.</summary>
    public required long MaximumPendingBytes { get; init; }

    /// <summary>Above so many writes posted and uncommitted the store is congested.</summary>
    public required int MaximumPendingWrites { get; init; }

    /// <summary>Writes in one transaction, counted by their rows (<see cref="StoreWrite.Rows"/>); a single larger write goes alone.</summary>
    public required int MaximumBatchWrites { get; init; }

    /// <summary>Bytes in one transaction (by <see cref="StoreWrite.Bytes"/>); a single larger write goes alone.</summary>
    public required long MaximumBatchBytes { get; init; }

    /// <summary>Time from a failed attempt to the next, at first; and, once what comes is refused, the longest wait for the refusal.</summary>
    public TimeSpan RetryDelayMinimum { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Upper bound of the delay between attempts while somebody waits for one to succeed.</summary>
    public TimeSpan RetryDelayWaiting { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Upper bound of the doubling delay between attempts that nobody waits for.</summary>
    public TimeSpan RetryDelayMaximum { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long the target may take for an answer. Beyond it the store counts as unavailable although nothing has failed: what
    /// waits is refused, and so is what comes, until the answer is there.
    /// </summary>
    public TimeSpan AnswerTime { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// How long what is posted waits for a target that fails and may come back, before it is refused. A full disk is not
    /// waited for: nobody knows when there is room.
    /// </summary>
    public TimeSpan OutagePatience { get; init; }

    /// <summary>
    /// How long refusable writes are refused on when the target is back from an outage in which some were. A publisher whose
    /// first message was refused has others under way; taken at once, they would come before the first, which it sends again. Needed
    /// where those come from other silos: a publisher's own silo sees to it (<see cref="Sessions.PublisherRecords"/>), so that with
    /// one silo what is small enough for a full disk is taken at once.
    /// </summary>
    public TimeSpan RecoveryPause { get; init; }

    /// <summary>How long closing waits for the writer. What it is at then stays in doubt: the next process finds out.</summary>
    public TimeSpan CloseTime { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>How long nothing must have been posted before housekeeping starts.</summary>
    public TimeSpan IdleDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Pause between two steps of housekeeping, so that it takes a part of one core only.</summary>
    public TimeSpan IdleStepPause { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Outages that follow each other faster than this share their log lines.</summary>
    public TimeSpan OutageLogInterval { get; init; } = TimeSpan.FromSeconds(30);
}
