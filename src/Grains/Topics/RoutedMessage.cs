using Broker.Grains.Messages;

namespace Broker.Grains.Topics;

/// <summary>A message on its way between silos.</summary>
public readonly record struct RoutedMessage(ApplicationMessage Message)
{
    /// <summary>Bytes that it counts on an edge, about.</summary>
    public int Size => Message.Size + 64;
}
