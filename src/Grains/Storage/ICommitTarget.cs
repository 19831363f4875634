namespace Broker.Grains.Storage;

/// <summary>What <see cref="GroupCommitter"/> drives: one transaction at a time, always from the writer's thread.</summary>
internal interface ICommitTarget
{
    /// <summary>An empty batch; what an unfinished one held is forgotten.</summary>
    IStoreBatch Begin();

    /// <summary>Makes the batch durable. Throws when it is not; nothing of it is stored then.</summary>
    /// <param name="mustTouchDisk">Write something even if the batch came out empty: the store may have recovered.</param>
    /// <returns>Number of rows written.</returns>
    /// <exception cref="StaleBatchException">The target has learnt that it answered the writes wrongly: add them again.</exception>
    /// <exception cref="CommitInDoubtException">Stored or not: <see cref="Settle"/> will tell.</exception>
    int Commit(bool mustTouchDisk);

    /// <summary>
    /// Finds out whether the commit that ended in doubt is stored; from the answer on it can no longer change. Throws while
    /// that cannot be found out. No batch is begun in between.
    /// </summary>
    bool Settle() => throw new NotSupportedException("The commits of this target are never in doubt.");

    /// <summary>Whether the same rows would fail again on a healthy store: retrying them would block everything.</summary>
    bool IsPermanent(Exception error);

    /// <summary>After the callbacks of a commit: work that should not delay them, such as a checkpoint.</summary>
    void AfterCommit();

    /// <summary>A short step of housekeeping while nothing is posted. False when there is none left until the next commit.</summary>
    bool RunIdleStep();
}
