using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Routing;

/// <summary>Publishes what does not come over an MQTT connection: the broker's own messages, and those that come by HTTP.</summary>
public sealed class BrokerPublisher(
    MessageRouter router,
    FilterIndex<Subscription> index,
    SharedGroups shared,
    IMessageStore store,
    MessageIdSource ids,
    RemoteInterest? interest = null,
    RoutingGate? gate = null,
    RemoteRouting? remote = null,
    SiloTime? siloTime = null)
{
    /// <summary>Whether anybody in the cluster subscribes to a topic that begins with <c>$</c>. Costs three fields.</summary>
    public bool HasReservedSubscribers => index.HasReserved || shared.HasReserved || interest is { HasReserved: true };

    /// <summary>An id for a message that has no connection.</summary>
    public MessageId NextId() => ids.Next(0);

    /// <summary>
    /// Publishes a message that nobody waits for. A retained one is written as any other is. One of QoS 1 or 2 does not wait until a dead silo
    /// is settled, as <see cref="PublishAsync"/> does, and the settlement does not end meanwhile: it comes to the dead silo's sessions as well.
    /// </summary>
    public void Publish(ApplicationMessage message)
    {
        var isUnheld = message.Qos != QualityOfService.AtMostOnce;
        var phase = isUnheld ? gate?.EnterUnheld() : gate?.Enter();
        try
        {
            Route(message, waiter: null);
        }
        finally
        {
            Exit(phase, isUnheld);
        }
    }

    /// <summary>
    /// Publishes a message, and waits for what a PUBACK waits for (promise 1). QoS 0 is answered when it has been routed.
    /// </summary>
    /// <returns>Success, No matching subscribers, or why it was refused.</returns>
    public async Task<ReasonCode> PublishAsync(ApplicationMessage message, CancellationToken cancellationToken)
    {
        await store.WaitUntilDrainedAsync(cancellationToken);
        var waiter = message.Qos == QualityOfService.AtMostOnce ? null : new Waiter();
        int receivers;
        while (TryPublish(message, waiter, out receivers) is { } wait)
        {
            await wait.WaitAsync(cancellationToken);
        }

        return await AnswerAsync(receivers, waiter).WaitAsync(cancellationToken);
    }

    /// <returns>What has to be waited for before another attempt; null when it was routed.</returns>
    private Task? TryPublish(ApplicationMessage message, Waiter? waiter, out int receivers)
    {
        receivers = 0;
        var phase = gate?.Enter();
        try
        {
            if (remote is not null && message.PublishAt == 0 && remote.MustWait(message.Topic, message.Qos, out var wait))
            {
                return wait;
            }

            receivers = Route(message, waiter);
            return null;
        }
        finally
        {
            Exit(phase);
        }
    }

    private int Route(ApplicationMessage message, Waiter? waiter)
    {
        var source = new PublishSource(message);
        PublishRecord? record = null;
        var receivers = router.Route(ref source, null, ref record);
        if (record is null)
        {
            waiter?.Published(ReasonCode.Success);
            return receivers;
        }

        if (waiter is not null)
        {
            record.Wait(waiter);
        }

        record.Seal();
        record.Post();
        return receivers;
    }

    private async Task<ReasonCode> AnswerAsync(int receivers, Waiter? waiter)
    {
        if (waiter is not null && await waiter.Done is var reason and not (ReasonCode.Success or InternalOutcome.Elsewhere))
        {
            return reason;
        }

        if (siloTime is not null)
        {
            // A silo that is out of its time acknowledges nothing.
            await siloTime.ValidAsync();
        }

        return receivers == 0 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success;
    }

    private void Exit(int? phase, bool isUnheld = false)
    {
        if (phase is { } entered && isUnheld)
        {
            gate!.ExitUnheld(entered);
        }
        else if (phase is { } held)
        {
            gate!.Exit(held);
        }
    }

    private sealed class Waiter : IPublishWaiter
    {
        private readonly TaskCompletionSource<ReasonCode> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<ReasonCode> Done => _done.Task;

        public void Published(ReasonCode reason) => _done.TrySetResult(reason);
    }
}
