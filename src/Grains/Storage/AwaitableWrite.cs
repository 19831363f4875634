namespace Broker.Grains.Storage;

/// <summary>A write that somebody awaits.</summary>
public abstract class AwaitableWrite : StoreWrite
{
    private readonly TaskCompletionSource _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the write is durable; faults when the store refused it.</summary>
    public Task Committed => _committed.Task;

    /// <inheritdoc />
    public override void Complete(Exception? error)
    {
        if (error is null)
        {
            _committed.TrySetResult();
        }
        else
        {
            _committed.TrySetException(error);
        }
    }
}
