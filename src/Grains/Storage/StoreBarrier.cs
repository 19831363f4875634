namespace Broker.Grains.Storage;

/// <summary>Waits for the writes before it.</summary>
public static class StoreBarrier
{
    /// <summary>Completes when everything posted so far is committed or refused.</summary>
    public static Task FlushAsync(this IMessageStore store)
    {
        var barrier = new Barrier();
        store.Post(barrier);
        return barrier.Committed;
    }

    private sealed class Barrier : AwaitableWrite
    {
        public override void AddTo(IStoreBatch batch)
        {
        }
    }
}
