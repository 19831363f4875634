using Broker.Grains.Cluster;
using Broker.Grains.Delayed;
using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Retained;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Routing;

/// <summary>
/// Takes a publish to every session of this silo that subscribes to its topic [MQTT-4.5.0-1], on the caller's thread: match in the
/// filter index, one copy for each session whatever number of its filters match, the retained message, and the record
/// that the publisher's acknowledgement waits for.
/// </summary>
public sealed class MessageRouter(
    FilterIndex<Subscription> index,
    RetainedMessages retained,
    IMessageStore store,
    DropLedger drops,
    SharedGroups shared,
    LocalArrivals? arrivals = null,
    RemoteRouting? remote = null,
    RetainedRepair? repair = null,
    DelayedMessages? delayed = null)
{
    [ThreadStatic]
    private static Scratch? _scratch;

    /// <summary>Routes a message.</summary>
    /// <param name="source">What is published.</param>
    /// <param name="publisher">The publisher's session, for No Local; null when it is not here (a Will): then its Client Identifier decides.</param>
    /// <param name="record">
    /// In: a record that is needed anyway, or null. Out: the record that the acknowledgement depends on, not sealed yet;
    /// null when nothing durable is involved.
    /// </param>
    /// <returns>Number of sessions that it went to; of a message that is published later, nobody knows, and it counts as one.</returns>
    public int Route(ref PublishSource source, Session? publisher, ref PublishRecord? record)
    {
        if (source.PublishAt != 0)
        {
            delayed!.Keep(ref source, ref record);
            return 1;
        }

        var scratch = _scratch ??= new Scratch();
        ReadOnlySpan<Subscription> matches;
        if (source.Retain)
        {
            matches = RetainAndMatch(ref source, scratch, ref record);
        }
        else
        {
            // What is retained stays as it is [MQTT-3.3.1-8].
            matches = index.Match(source.Topic, scratch.Matches);
        }

        if (remote is null)
        {
            return DeliverMatches(ref source, publisher, matches, scratch, ref record) + shared.Deliver(ref source, null, ref record);
        }

        var passOver = arrivals!.PassOver(ref source);
        if (passOver is not null)
        {
            matches = Array.FindAll(matches.ToArray(), s => !passOver(s.Session));
        }

        remote.Prepare(ref source, record);

        // Here first: other silos are asked for their part of the record while it is still open.
        var count = DeliverMatches(ref source, publisher, matches, scratch, ref record);
        count += shared.Deliver(ref source, passOver, ref record);
        return count + remote.Forward(ref source, ref record);
    }

    /// <summary>
    /// Routes a message that another silo has accepted: as <see cref="Route"/> does, but for the row of the retained
    /// message, which the accepting silo writes.
    /// </summary>
    /// <param name="passOver">Sessions that have had it already, or get it on another way; null when there are none.</param>
    public int RouteArrived(
        ref PublishSource source, Session? publisher, Predicate<Session>? passOver, ref PublishRecord? record)
    {
        var scratch = _scratch ??= new Scratch();
        ReadOnlySpan<Subscription> matches;
        if (source.Retain)
        {
            lock (retained.Gate)
            {
                retained.Follow(source.Materialize());
                matches = index.Match(source.Topic, scratch.Matches);
            }
        }
        else
        {
            matches = index.Match(source.Topic, scratch.Matches);
        }

        if (passOver is not null)
        {
            matches = Array.FindAll(matches.ToArray(), s => !passOver(s.Session));
        }

        return DeliverMatches(ref source, publisher, matches, scratch, ref record) + shared.Deliver(ref source, passOver, ref record);
    }

    /// <summary>A record for a publish that must be remembered whoever receives it (an inbound QoS 2 id of a durable session).</summary>
    /// <param name="isKept">Whether a failed commit is tried again instead of reported.</param>
    public PublishRecord NewRecord(ref PublishSource source, bool isKept = false) =>
        PublishRecord.For(ref source, store, isKept);

    private ReadOnlySpan<Subscription> RetainAndMatch(scoped ref PublishSource source, Scratch scratch, scoped ref PublishRecord? record)
    {
        var message = source.Materialize();
        ReadOnlySpan<Subscription> matches;
        lock (retained.Gate)
        {
            if (!retained.Set(message))
            {
                message.IsRetainRefused = true;
                drops.Add(source.Publisher, source.Topic, DropReason.RetainedLimit, 1, message.Id);
            }

            matches = index.Match(source.Topic, scratch.Matches);
        }

        // Also for QoS 0: nobody waits for its commit, but a retained message survives a restart.
        var topic = System.Text.Encoding.UTF8.GetString(message.Topic);
        record ??= PublishRecord.For(ref source, store);
        record.AddRows(batch => retained.WriteTo(batch, topic, message.Id));
        if (repair is not null)
        {
            record.Wait(repair.Watch(topic, message.Id));
        }

        return matches;
    }

    private static int DeliverMatches(
        ref PublishSource source, Session? publisher, ReadOnlySpan<Subscription> matches, Scratch scratch, ref PublishRecord? record) =>
        matches.Length switch
        {
            0 => 0,
            1 => Deliver(ref source, publisher, matches[0], ref record),
            _ => DeliverAll(ref source, publisher, matches, scratch, ref record),
        };

    private static int DeliverAll(
        ref PublishSource source, Session? publisher, ReadOnlySpan<Subscription> matches, Scratch scratch, ref PublishRecord? record)
    {
        scratch.Marks.Begin();
        foreach (var subscription in matches)
        {
            if (!scratch.Marks.TryMark(subscription.Session))
            {
                return DeliverMerged(ref source, publisher, matches.ToArray(), ref record);
            }
        }

        var count = 0;
        foreach (var subscription in matches)
        {
            count += Deliver(ref source, publisher, subscription, ref record);
        }

        return count;
    }

    /// <summary>Overlapping filters of one client: one copy, with the highest QoS [MQTT-3.3.4-2] and all identifiers [MQTT-3.3.4-4].</summary>
    private static int DeliverMerged(
        ref PublishSource source, Session? publisher, Subscription[] matches, ref PublishRecord? record)
    {
        var count = 0;
        var from = source.Publisher;
        foreach (var group in matches.GroupBy(static s => s.Session))
        {
            var wanted = group.Where(s => !s.IsOwn(publisher, from)).ToList();
            if (wanted.Count == 0)
            {
                continue;
            }

            var identifiers = wanted.Where(s => s.Identifier != 0).Select(s => s.Identifier).ToArray();
            var granted = wanted.Max(s => s.Qos);
            var retain = source.Retain && wanted.Exists(s => s.RetainAsPublished);
            count += Deliver(ref source, group.Key, granted, retain, identifiers, ref record);
        }

        return count;
    }

    private static int Deliver(
        ref PublishSource source, Session? publisher, Subscription subscription, ref PublishRecord? record)
    {
        if (subscription.IsOwn(publisher, source.Publisher))
        {
            return 0;
        }

        // Goes with the message [MQTT-3.3.4-3].
        var identifier = subscription.Identifier;
        var retain = source.Retain && subscription.RetainAsPublished;
        return Deliver(
            ref source, subscription.Session, subscription.Qos, retain, identifier == 0 ? [] : [identifier], ref record);
    }

    private static int Deliver(
        ref PublishSource source, Session session, QualityOfService granted, bool retain, scoped ReadOnlySpan<uint> identifiers,
        ref PublishRecord? record)
    {
        var qos = source.Qos < granted ? source.Qos : granted;
        return session.Deliver(ref source, qos, retain, identifiers, ref record) ? 1 : 0;
    }

    private sealed class Scratch
    {
        public MatchBuffer<Subscription> Matches { get; } = new();

        public SessionMarks Marks { get; } = new();
    }
}
