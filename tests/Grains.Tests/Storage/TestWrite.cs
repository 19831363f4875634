using Broker.Grains.Storage;

namespace Broker.Grains.Tests.Storage;

/// <summary>A write made of a delegate, whose outcome is a task.</summary>
internal sealed class TestWrite(Action<IStoreBatch> add, bool mustSucceed = false, int bytes = 64) : StoreWrite
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override int Bytes => bytes;

    public override int Rows => RowCount;

    public override bool MustSucceed => mustSucceed;

    /// <summary>Rows that it says it has.</summary>
    public int RowCount { get; init; } = 1;

    /// <summary>Fails with what the write was refused with.</summary>
    public Task Done => _done.Task;

    /// <summary>Runs on the writer's thread before <see cref="Done"/> completes.</summary>
    public Action<Exception?>? Completing { get; init; }

    /// <summary>Runs when the rows were thrown away.</summary>
    public Action? Retracting { get; init; }

    public override void Retract() => Retracting?.Invoke();

    public override void AddTo(IStoreBatch batch) => add(batch);

    public override void Complete(Exception? error)
    {
        if (error is null)
        {
            _done.TrySetResult();
        }
        else
        {
            _done.TrySetException(error);
        }

        Completing?.Invoke(error);
    }
}
