using System.Collections.Concurrent;
using Broker.Grains.Storage;

namespace Broker.Grains.Tests.Storage;

/// <summary>A commit target that does as the test says and remembers the last-alive times of each committed group.</summary>
internal sealed class ScriptedTarget : ICommitTarget
{
    private readonly List<long> _current = [];
    private readonly TimesBatch _batch;

    public ScriptedTarget() => _batch = new TimesBatch(_current);

    /// <summary>Decides about each commit; null lets it succeed.</summary>
    public Func<IReadOnlyList<long>, Exception?> Outcome { get; set; } = _ => null;

    /// <summary>Answers what became of a commit in doubt, or throws.</summary>
    public Func<bool> Settlement { get; set; } = () => throw new StoreException("nobody to ask");

    public ConcurrentQueue<long[]> Committed { get; } = [];

    public int Attempts => Volatile.Read(ref _attempts);

    private int _attempts;

    public IStoreBatch Begin()
    {
        _current.Clear();
        return _batch;
    }

    public int Commit(bool mustTouchDisk)
    {
        Interlocked.Increment(ref _attempts);
        if (Outcome(_current) is { } error)
        {
            throw error;
        }

        if (_current.Count > 0)
        {
            Committed.Enqueue([.. _current]);
        }

        return _current.Count;
    }

    public bool Settle()
    {
        var committed = Settlement();
        if (committed)
        {
            Committed.Enqueue([.. _current]);
        }

        return committed;
    }

    public bool IsPermanent(Exception error) => error is InvalidDataException;

    public void AfterCommit()
    {
    }

    public bool RunIdleStep() => false;
}
