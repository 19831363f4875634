namespace Broker.Grains.Edges;

/// <summary>The far end of an <see cref="Edge{T}"/>.</summary>
public interface IEdgeTarget<T>
{
    /// <summary>Whether it will never answer again; asked after a failure.</summary>
    bool IsGone { get; }

    /// <summary>What an item counts against the bounds, in bytes. Must not change while the item waits.</summary>
    int BytesOf(T item);

    /// <summary>
    /// Hands a batch over. When it completes the items are done; when it throws, the same batch comes again with the same number.
    /// </summary>
    /// <param name="items">In the order of posting; not touched by the edge until the task has ended.</param>
    Task SendAsync(IReadOnlyList<T> items, long number);

    /// <summary>The target is gone and these items were not handed over, or nobody knows. Must not throw.</summary>
    void Undeliverable(IReadOnlyList<T> items);
}
