namespace Broker.Grains.Sessions;

/// <summary>
/// The records of one publisher that are held back, in the order of publishing (promise 3): a later one must not be
/// durable before them. Used by the thread that reads the publisher's connection only.
/// </summary>
public sealed class PublisherRecords
{
    private readonly Queue<PublishRecord> _heldBack = new();

    /// <summary>Hands a sealed record to the store, or to <paramref name="grace"/> when it may wait.</summary>
    public void Dispatch(PublishRecord record, AckGraceQueue grace)
    {
        while (_heldBack.TryPeek(out var first) && first.IsDone)
        {
            _heldBack.Dequeue();
        }

        if (!record.IsUrgent && grace.IsEnabled)
        {
            _heldBack.Enqueue(record);
            grace.Add(record);
            return;
        }

        while (_heldBack.TryDequeue(out var earlier))
        {
            earlier.Post();
        }

        record.Post();
    }
}
