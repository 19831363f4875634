using Broker.Grains.Messages;

namespace Broker.Grains.Topics;

/// <summary>A message with what other silos need to know of it.</summary>
/// <param name="Id">
/// Its id between silos. A QoS 0 message has none of its own and is given one for the journey: it may arrive twice as well.
/// </param>
/// <param name="Filters">Places of the filters that it matched in the batch's table.</param>
public readonly record struct RoutedMessage(ApplicationMessage Message, MessageId Id, ReadOnlyMemory<int> Filters)
{
    /// <summary>Bytes that it counts on an edge, about.</summary>
    public int Size => Message.Size + 64;
}
