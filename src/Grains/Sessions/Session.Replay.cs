using Broker.Grains.Messages;
using Broker.Grains.Retained;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>Retained messages for new subscriptions, paced by the window and not by the queue's limit.</summary>
public sealed partial class Session
{
    // Rows of a durable session's replay that are written together with how far it has come.
    private const int ReplayPage = 64;

    // Pages with bodies that may wait for the store: 1,024 messages, more than a window, so that a commit is not waited for as a rule.
    private const int MaxOpenPages = 16;

    private readonly List<RetainedReplay> _replays = [];
    private int _openPages;

    /// <summary>
    /// Adds a replay, which is recorded with the subscription of a durable session, so that it outlives a crash. It waits for
    /// <see cref="BeginReplays"/> or the next connection: the store may refuse the subscription.
    /// </summary>
    public void AddReplay(RetainedReplay replay)
    {
        lock (_gate)
        {
            if (_state != SessionState.Ended)
            {
                _replays.RemoveAll(r => r.Subscription == replay.Subscription);
                _replays.Add(replay);
            }
        }
    }

    /// <summary>Sends what the window allows of the replays that were added: their subscriptions are committed.</summary>
    public void BeginReplays()
    {
        lock (_gate)
        {
            AdmitReplays();
            Pump();
        }
    }

    private void AdmitReplays() => _replays.ForEach(static replay => replay.HasBegun = true);

    /// <summary>A subscription is what it was before a change that the store has refused, and so is what it still has to replay.</summary>
    private void PutBackReplay(Subscription subscription, RetainedReplay? former)
    {
        lock (_gate)
        {
            _replays.RemoveAll(r => r.Subscription == subscription);
            if (former?.Subscription == subscription && _state != SessionState.Ended)
            {
                _replays.Add(former);
                Pump();
            }
        }
    }

    private Delivery? NextReplayed()
    {
        // One whose subscription is about to end pauses: its row may be gone already.
        while (_replays.Find(static r => r.HasBegun && r.Subscription.EndingBy is null) is { } replay)
        {
            if (IsDurable && replay.Subscription.Qos != QualityOfService.AtMostOnce)
            {
                if (_openPages >= MaxOpenPages)
                {
                    // The store does not keep up, or fails: it goes on with the next page that is committed.
                    return null;
                }

                if (QueuePage(replay))
                {
                    return _queue.First;
                }
            }
            else if (replay.Take(_env.Now) is { } message)
            {
                var delivery = NewReplayed(replay, message, 0);
                _queue.Enqueue(delivery);
                return delivery;
            }

            _replays.Remove(replay);
            if (IsDurable)
            {
                _env.Store.Post(new ReplayWrite(this, replay, [], isDone: true));
            }
        }

        return null;
    }

    private bool QueuePage(RetainedReplay replay)
    {
        var page = new List<Delivery>();
        while (page.Count < ReplayPage && replay.Take(_env.Now) is { } message)
        {
            var delivery = NewReplayed(replay, message, _env.Store.NextMessageNumber());
            if (delivery.Qos != QualityOfService.AtMostOnce)
            {
                delivery.SetRowState(RowState.Pending);
                page.Add(delivery);
            }

            _queue.Enqueue(delivery);
        }

        if (page.Count > 0)
        {
            _openPages++;
            _env.Store.Post(new ReplayWrite(this, replay, page, isDone: false));
        }

        return !_queue.IsEmpty;
    }

    private void PageCompleted()
    {
        lock (_gate)
        {
            // Only whoever has come to the limit waits for it.
            if (_openPages-- >= MaxOpenPages)
            {
                Pump();
            }
        }
    }

    private Delivery NewReplayed(RetainedReplay replay, ApplicationMessage message, long number)
    {
        var subscription = replay.Subscription;
        var qos = message.Qos < subscription.Qos ? message.Qos : subscription.Qos;
        ReadOnlySpan<uint> identifiers = subscription.Identifier == 0 ? [] : [subscription.Identifier];

        // RETAIN is 1 for what a new subscription finds [MQTT-3.3.1-9], [MQTT-3.3.1-8] of 3.1.1.
        return NewDelivery(message, qos, retain: true, identifiers, number);
    }

    /// <summary>A page of a replay and how far it has come, in one transaction: nothing is queued twice or left out.</summary>
    private sealed class ReplayWrite(Session session, RetainedReplay replay, List<Delivery> page, bool isDone) : StoreWrite
    {
        private readonly long _lastNumber = replay.LastNumber;
        private long _storedBefore;

        public override bool MustSucceed => true;

        public override int Bytes => page.Sum(d => d.Size) + 64;

        public override void AddTo(IStoreBatch batch)
        {
            _storedBefore = replay.StoredNumber;
            if (!batch.Owns(session.Number, session.StoreEpoch))
            {
                return;
            }

            foreach (var delivery in page)
            {
                if (delivery.TryMove(RowState.Pending, RowState.Taken) || delivery.RowState == RowState.Taken)
                {
                    batch.PutMessage(delivery.MessageNumber, delivery.Message!, 1);
                    batch.PutDelivery(delivery.ToRow());
                }
            }

            if (isDone)
            {
                batch.DeleteReplay(session.Number, replay.Subscription.Filter);
            }
            else
            {
                batch.PutReplay(session.Number, replay.Subscription.Filter, _lastNumber, replay.UpTo);
                replay.StoredNumber = _lastNumber;
            }
        }

        public override void Retract() => replay.StoredNumber = _storedBefore;

        public override void Complete(Exception? error)
        {
            foreach (var delivery in page)
            {
                session.StorageCompleted(delivery, error is null);
            }

            if (page.Count > 0)
            {
                session.PageCompleted();
            }
        }
    }
}
