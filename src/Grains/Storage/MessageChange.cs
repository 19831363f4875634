using Broker.Grains.Messages;

namespace Broker.Grains.Storage;

/// <summary>A message row that a batch puts, with the references that are left at its end.</summary>
internal struct MessageChange
{
    public ApplicationMessage Message;
    public int References;
}
