using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Topics;

namespace Broker.Grains.Cluster;

/// <summary>
/// QoS 2 publishes that come again because the silo that took them first has died, or their publisher has left it, before it
/// was told (promise 2). The packet id's row has the id that the message had; under that it goes once more to all who are
/// interested, here and elsewhere, and each silo passes over those of its sessions that have it.
/// </summary>
public sealed class RepeatedPublishes(RemoteRouting remote, InboxDelivery delivery, RoutingGate gate)
{
    /// <summary>Routes a message again.</summary>
    /// <param name="record">What its publisher waits for; not sealed yet.</param>
    /// <param name="publisherGone">Its connection has ended: what still waits is not routed, because the client repeats it elsewhere.</param>
    public async Task RouteAsync(ApplicationMessage message, PublishRecord record, CancellationToken publisherGone)
    {
        var phase = gate.Enter();
        while (remote.MustWait(message.Topic, message.Qos, out var wait))
        {
            gate.Exit(phase);
            await wait.WaitAsync(publisherGone);
            phase = gate.Enter();
        }

        try
        {
            record.Ask();
            await delivery.DeliverRepeatedAsync(message, record);
            remote.ForwardRepeat(message, record);
        }
        finally
        {
            gate.Exit(phase);
        }
    }
}
