using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;

namespace Broker.Grains.Routing;

/// <summary>Publishes what no client has sent: the broker's own messages.</summary>
public sealed class BrokerPublisher(
    MessageRouter router,
    FilterIndex<Subscription> index,
    SharedGroups shared,
    MessageIdSource ids,
    RemoteInterest? interest = null,
    RoutingGate? gate = null)
{
    /// <summary>Whether anybody in the cluster subscribes to a topic that begins with <c>$</c>. Costs three fields.</summary>
    public bool HasReservedSubscribers => index.HasReserved || shared.HasReserved || interest is { HasReserved: true };

    /// <summary>An id for a message of the broker's own.</summary>
    public MessageId NextId() => ids.Next(0);

    /// <summary>Publishes a message that nobody waits for. A retained one is written as any other is.</summary>
    public void Publish(ApplicationMessage message)
    {
        var phase = gate?.Enter();
        try
        {
            var source = new PublishSource(message);
            PublishRecord? record = null;
            router.Route(ref source, null, ref record);
            if (record is not null)
            {
                record.Seal();
                record.Post();
            }
        }
        finally
        {
            if (phase is { } entered)
            {
                gate!.Exit(entered);
            }
        }
    }
}
