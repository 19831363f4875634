using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Messages;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Grains.Topics;

/// <summary>
/// Takes the messages of other silos to the sessions of this one. The first copy of a message goes to every session here
/// whose filters match its topic, and later copies, that come because several of the filters matched, to nobody: one copy
/// at the highest QoS with all identifiers (FEATURES 2.2), whichever filter's Topic grain is the fastest.
/// </summary>
public sealed class InboxDelivery(MessageRouter router, SessionTable sessions, RecentMessages recent, TopicLog log)
{
    private long _messages;

    /// <summary>Messages handled, copies included.</summary>
    public long Messages => Volatile.Read(ref _messages);

    /// <summary>
    /// Routes in order, before it returns; its task completes when every durable delivery is committed or acknowledged.
    /// </summary>
    public Task<DeliveryOutcome> DeliverAsync(EdgeBatch batch)
    {
        var waiter = new BatchWaiter(batch.Batches.Sum(static b => b.Count));
        var first = 0;
        foreach (var messages in batch.Batches)
        {
            Route(messages, waiter, first);
            first += messages.Count;
        }

        return waiter.SealAsync();
    }

    private void Route(MessageBatch batch, BatchWaiter waiter, int first)
    {
        var index = first;
        try
        {
            foreach (var message in MessageBatchCodec.Decode(batch))
            {
                Route(message, waiter, index);
                index++;
            }
        }
        catch (Exception e)
        {
            // An answer all the same: without one the edge would bring the batch again and again, and nothing after it.
            // What was not routed is refused to its publisher, who may publish it again.
            log.NotRouted(e, first + batch.Count - index);
            for (; index < first + batch.Count; index++)
            {
                waiter.ForMessage(index).Published(ReasonCode.UnspecifiedError);
            }
        }
    }

    private void Route(in RoutedMessage routed, BatchWaiter waiter, int index)
    {
        Interlocked.Increment(ref _messages);
        if (!recent.IsFirst(routed.Id))
        {
            return;
        }

        var message = routed.Message;
        var id = routed.Id;
        var source = new PublishSource(message);
        PublishRecord? record = null;
        var publisher = message.Publisher.Length == 0 ? null : sessions.Find(message.Publisher);
        Predicate<Session>? hadBefore = recent.HasMoved ? session => recent.HadBefore(session.ClientId, id) : null;
        router.RouteArrived(ref source, publisher, hadBefore, ref record);
        if (record is null)
        {
            return;
        }

        // Written at once instead of held back for fast acknowledgements: the next batch of the edge waits for this one,
        // and a subscriber that lets its grace pass would stop the messages of all others.
        record.Wait(waiter.ForMessage(index));
        record.Seal();
        record.Post();
    }

    /// <summary>Collects the outcomes of a batch.</summary>
    private sealed class BatchWaiter(int count)
    {
        private readonly TaskCompletionSource<DeliveryOutcome> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock _gate = new();
        private byte[]? _reasons;
        private int _open = 1;

        public IPublishWaiter ForMessage(int index)
        {
            Interlocked.Increment(ref _open);
            return new MessageWaiter(this, index);
        }

        public Task<DeliveryOutcome> SealAsync()
        {
            Resolve();
            return _done.Task;
        }

        private void Published(int index, ReasonCode reason)
        {
            if (reason != ReasonCode.Success)
            {
                lock (_gate)
                {
                    _reasons ??= new byte[count];
                    _reasons[index] = (byte)reason;
                }
            }

            Resolve();
        }

        private void Resolve()
        {
            if (Interlocked.Decrement(ref _open) == 0)
            {
                _done.SetResult(_reasons is null ? DeliveryOutcome.Success : new DeliveryOutcome { Reasons = _reasons });
            }
        }

        private sealed class MessageWaiter(BatchWaiter batch, int index) : IPublishWaiter
        {
            public void Published(ReasonCode reason) => batch.Published(index, reason);
        }
    }
}
