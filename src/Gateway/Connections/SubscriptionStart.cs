using Broker.Grains.Retained;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>A subscription from its grant until every silo knows of it, or until the store has refused it.</summary>
internal static class SubscriptionStart
{
    /// <summary>
    /// Subscribes a session. From here on messages are routed to it. False when it has ended, or another CONNECT has been accepted since
    /// the one with <paramref name="epoch"/>.
    /// </summary>
    /// <param name="replays">Gets the retained messages that the subscriber is to be sent.</param>
    public static bool Begin(
        ConnectionServices services,
        Session session,
        long epoch,
        in SubscriptionRequest request,
        uint identifier,
        List<RetainedReplay> replays)
    {
        // Retain Handling 2: nothing that is retained [MQTT-3.3.1-11].
        if (request.RetainHandling == RetainHandling.DoNotSend || SharedFilter.IsShared(request.Filter))
        {
            // Retained messages are not for groups (MQTT 5.0 section 4.8.2).
            return session.Subscribe(request.Filter, request.Options, identifier, out _, epoch) is not null;
        }

        RetainedReplay replay;
        lock (services.Retained.Gate)
        {
            var subscription = session.Subscribe(request.Filter, request.Options, identifier, out var isNew, epoch);
            if (subscription is null)
            {
                return false;
            }

            // Retain Handling 0 sends again what an existing subscription has had [MQTT-3.8.4-4], 1 does not [MQTT-3.3.1-10].
            if (!isNew && request.RetainHandling == RetainHandling.SendIfNew)
            {
                return true;
            }

            var entries = services.Retained.Match(subscription.RoutedFilter);
            if (entries.Length == 0)
            {
                return true;
            }

            replay = new RetainedReplay(subscription, entries, services.Retained.Version);
        }

        session.AddReplay(replay);
        replays.Add(replay);
        return true;
    }

    /// <summary>Undoes changes, from the last to the first: a filter may stand in one packet twice.</summary>
    public static void PutBack(ConnectionServices services, Session session, long epoch, List<SubscriptionBackup> changed)
    {
        for (var i = changed.Count - 1; i >= 0; i--)
        {
            session.PutBack(changed[i], epoch);
        }

        EndLeftGroups(services, session, changed);
        foreach (var subscription in changed)
        {
            if (subscription.Options is null && ExclusiveFilter.IsExclusive(subscription.Filter)
                && !session.IsSubscribedTo(subscription.Filter))
            {
                services.Exclusive.GiveBack(session, subscription.Filter);
            }
        }
    }

    /// <summary>What has become of subscriptions is settled: a group that has nobody ends.</summary>
    public static void EndLeftGroups(ConnectionServices services, Session session, List<SubscriptionBackup> changed)
    {
        foreach (var subscription in changed)
        {
            if (SharedFilter.IsShared(subscription.Filter))
            {
                services.Shared.Settled(session, subscription.Filter);
            }
        }
    }

    /// <summary>Completes when every silo of a cluster knows of the subscriptions.</summary>
    public static async Task RoutableAsync(
        ConnectionServices services, IEnumerable<SubscriptionBackup> changed, CancellationToken cancellationToken)
    {
        foreach (var filter in changed)
        {
            await services.Shared.ReadyAsync(filter.Filter).WaitAsync(cancellationToken);
        }

        await services.Interest.AnnouncedAsync().WaitAsync(cancellationToken);
    }
}
