using Broker.Grains.Retained;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>Subscriptions: routable the moment they are added, durable when their write completes.</summary>
public sealed partial class Session
{
    /// <summary>Number of subscriptions.</summary>
    public int SubscriptionCount
    {
        get
        {
            lock (_gate)
            {
                return _subscriptions.Count;
            }
        }
    }

    /// <summary>A copy of the subscriptions.</summary>
    public IReadOnlyList<Subscription> Subscriptions
    {
        get
        {
            lock (_gate)
            {
                return [.. _subscriptions.Values];
            }
        }
    }

    /// <summary>
    /// Adds a subscription or changes the one that has the same filter [MQTT-3.8.4-3]. Null when the session has ended, or another CONNECT
    /// has been accepted since.
    /// </summary>
    /// <param name="filter">A valid Topic Filter.</param>
    /// <param name="options">Subscription Options byte with the granted QoS.</param>
    /// <param name="isNew">False when one with this filter existed (Retain Handling 1 asks for it).</param>
    /// <param name="epoch">Epoch that the CONNECT of the asking connection was given; null for whoever is none.</param>
    public Subscription? Subscribe(string filter, byte options, uint identifier, out bool isNew, long? epoch = null) =>
        Put(filter, options, identifier, epoch, _ => !IsSuperseded(epoch), out isNew);

    /// <summary>
    /// Announces the end of the subscription whose filter is the same, character by character [MQTT-3.10.4-1]; false when there is none
    /// (UNSUBACK 0x11), or another CONNECT has been accepted since. Messages are routed to it until <see cref="EndUnsubscribe"/>: the store
    /// may refuse the change, and what was published until then would be missing.
    /// </summary>
    /// <param name="epoch">Epoch that the CONNECT of the asking connection was given.</param>
    public bool BeginUnsubscribe(string filter, long epoch)
    {
        lock (_gate)
        {
            if (IsSuperseded(epoch) || !_subscriptions.TryGetValue(filter, out var subscription) || subscription.EndingBy == epoch)
            {
                return false;
            }

            subscription.EndingBy = epoch;
            return true;
        }
    }

    /// <summary>
    /// The end of a subscription is committed, or need not be: no new message is added for it [MQTT-3.10.4-2]. False, and nothing happens, when
    /// it has been subscribed to again meanwhile, or there was none.
    /// </summary>
    public bool EndUnsubscribe(string filter, long epoch) => Remove(filter, subscription => subscription.EndingBy == epoch);

    /// <summary>Removes a subscription at once; false when there was none, or another CONNECT has been accepted since.</summary>
    /// <param name="epoch">As for <see cref="Subscribe"/>.</param>
    public bool Unsubscribe(string filter, long? epoch = null) => Remove(filter, _ => !IsSuperseded(epoch));

    /// <summary>Whether there is a subscription with this filter.</summary>
    public bool IsSubscribedTo(string filter)
    {
        lock (_gate)
        {
            return _subscriptions.ContainsKey(filter);
        }
    }

    /// <summary>The present state of a filter, for <see cref="PutBack"/>.</summary>
    public SubscriptionBackup Backup(string filter)
    {
        lock (_gate)
        {
            return _subscriptions.TryGetValue(filter, out var subscription)
                ? new SubscriptionBackup(filter, subscription.Options, subscription.Identifier, subscription.ChangedBy, FindReplay(subscription))
                : new SubscriptionBackup(filter, null, 0);
        }
    }

    /// <summary>
    /// Undoes what a connection did to a filter since <paramref name="backup"/> was taken; not what another one, that has taken over, has
    /// done since.
    /// </summary>
    public void PutBack(in SubscriptionBackup backup, long epoch)
    {
        if (TryGoOn(backup.Filter, epoch))
        {
            return;
        }

        bool IsItsOwn(Subscription? present) => present is null ? !IsSuperseded(epoch) : present.ChangedBy == epoch;
        if (backup.Options is not { } options)
        {
            Remove(backup.Filter, IsItsOwn);
        }
        else if (Put(backup.Filter, options, backup.Identifier, backup.ChangedBy, IsItsOwn, out _) is { } subscription)
        {
            PutBackReplay(subscription, backup.Replay);
        }
    }

    /// <summary>
    /// Makes the present state of these filters durable: their rows if they are subscribed to, the removal of the rows if
    /// not. Completes with the commit.
    /// </summary>
    public Task SaveSubscriptionsAsync(IReadOnlyList<string> filters)
    {
        var write = new SubscriptionWrite(this, filters);
        _env.Store.Post(write);
        return write.Committed;
    }

    /// <summary>Adds a subscription or changes the one that has the same filter; null when that may not be.</summary>
    /// <param name="changedBy">What becomes its <see cref="Subscription.ChangedBy"/>.</param>
    /// <param name="condition">Asked under the lock about the subscription that there is, or null: whether it may be changed.</param>
    private Subscription? Put(
        string filter, byte options, uint identifier, long? changedBy, Predicate<Subscription?> condition, out bool isNew)
    {
        Subscription? subscription;
        lock (_gate)
        {
            isNew = !_subscriptions.TryGetValue(filter, out subscription);
            if (_state == SessionState.Ended || !condition(subscription))
            {
                return null;
            }

            if (subscription is not null)
            {
                subscription.Change(options, identifier);
                subscription.EndingBy = null;
            }
            else
            {
                subscription = new Subscription(this, filter, options, identifier);
                _subscriptions.Add(filter, subscription);
                if (!subscription.IsShared)
                {
                    // Inside the lock, so that an end of the session finds it in the index and takes it out again.
                    _env.Index.Add(subscription.FilterUtf8, subscription);
                    _env.Interest.Added(subscription.RoutedFilter);
                }
            }

            subscription.ChangedBy = changedBy;
        }

        if (subscription.IsShared)
        {
            JoinGroup(subscription, isNew);
        }
        else if (isNew && subscription.IsExclusive)
        {
            _env.Exclusive?.Restored(this, filter);
        }

        return subscription;
    }

    private bool IsSuperseded(long? epoch) => epoch is { } own && own != Epoch;

    private RetainedReplay? FindReplay(Subscription subscription) => _replays.Find(r => r.Subscription == subscription);

    /// <summary>A subscription that was to end does not.</summary>
    private bool TryGoOn(string filter, long epoch)
    {
        lock (_gate)
        {
            if (!_subscriptions.TryGetValue(filter, out var subscription) || subscription.EndingBy != epoch)
            {
                return false;
            }

            subscription.EndingBy = null;
            Pump();
            return true;
        }
    }

    /// <summary>
    /// A group that has no member by it any more stays, with its messages, until <see cref="Shared.SharedGroups.Settled"/>: the store may
    /// refuse the change.
    /// </summary>
    private bool Remove(string filter, Predicate<Subscription> condition)
    {
        Subscription? subscription;
        lock (_gate)
        {
            if (!_subscriptions.TryGetValue(filter, out subscription) || !condition(subscription))
            {
                return false;
            }

            _subscriptions.Remove(filter);
            _replays.RemoveAll(r => r.Subscription == subscription);
        }

        Unroute(subscription, mayEndGroup: false);
        return true;
    }

    /// <summary>Nothing is routed to a subscription any more. Without the session's lock: a group may end by it.</summary>
    private void Unroute(Subscription subscription, bool mayEndGroup = true)
    {
        if (subscription.IsShared)
        {
            LeaveGroup(subscription, mayEndGroup);
            return;
        }

        _env.Index.Remove(subscription.FilterUtf8, subscription);
        _env.Interest.Removed(subscription.RoutedFilter);
    }

    private void WriteSubscription(IStoreBatch batch, string filter)
    {
        lock (_gate)
        {
            if (_subscriptions.TryGetValue(filter, out var subscription) && subscription.EndingBy is null)
            {
                batch.PutSubscription(new SubscriptionRow(Number, filter, subscription.Options, subscription.Identifier));
                if (FindReplay(subscription) is { } replay)
                {
                    batch.PutReplay(Number, filter, replay.StoredNumber, replay.UpTo);
                }
            }
            else
            {
                batch.DeleteSubscription(Number, filter);
                batch.DeleteReplay(Number, filter);
            }
        }
    }

    private sealed class SubscriptionWrite(Session session, IReadOnlyList<string> filters) : AwaitableWrite
    {
        public override void AddTo(IStoreBatch batch)
        {
            if (!batch.Owns(session.Number, session.StoreEpoch))
            {
                throw new SessionFencedException(session.Number);
            }

            foreach (var filter in filters)
            {
                session.WriteSubscription(batch, filter);
            }
        }
    }
}
