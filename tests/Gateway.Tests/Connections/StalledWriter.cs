using Broker.Grains.Storage;

namespace Broker.Gateway.Tests.Connections;

/// <summary>A write that holds the store's only writer up until it is let go: what is posted meanwhile gathers behind it.</summary>
internal sealed class StalledWriter : StoreWrite, IDisposable
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _end = new();

    /// <summary>Completes when the writer stands.</summary>
    public Task Begun => _begun.Task;

    public void LetGo() => _end.Set();

    public override void AddTo(IStoreBatch batch)
    {
        _begun.TrySetResult();
        _end.Wait();
    }

    /// <summary>Lets the writer go, which a broker needs for its end.</summary>
    public void Dispose() => LetGo();
}
