using Broker.Grains.Messages;

namespace Broker.Grains.Topics;

/// <summary>A message with what other silos need to know of it.</summary>
/// <param name="Id">Its id between silos; a QoS 0 message that is not retained has none.</param>
public readonly record struct RoutedMessage(ApplicationMessage Message, MessageId Id)
{
    /// <summary>Bytes that it counts on an edge, about.</summary>
    public int Size => Message.Size + 64;
}
