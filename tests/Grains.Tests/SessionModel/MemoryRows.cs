using System.Collections.Concurrent;
using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Xunit;

namespace Broker.Grains.Tests.SessionModel;

/// <summary>The committed rows of a <see cref="MemoryStore"/>, with the rules that a real store enforces.</summary>
internal sealed class MemoryRows : IStoreBatch
{
    public Dictionary<long, SessionRow> Sessions { get; } = [];

    public Dictionary<(long Session, long Sequence), DeliveryRow> Deliveries { get; } = [];

    public ConcurrentDictionary<long, (ApplicationMessage Message, int References)> Messages { get; } = [];

    public Dictionary<(long Session, ushort PacketId), MessageId> Inbound { get; } = [];

    public Dictionary<(long Session, string Filter), SubscriptionRow> Subscriptions { get; } = [];

    public Dictionary<string, RetainedRow> Retained { get; } = [];

    public Dictionary<string, WillRow> Wills { get; } = [];

    public Dictionary<(string Kind, string Key), ItemRow> Items { get; } = [];

    public Dictionary<MessageId, DelayedRow> Delayed { get; } = [];

    public Dictionary<(long Session, string Filter), (long AfterNumber, MessageId UpTo)> Replays { get; } = [];

    public long LastMessage { get; private set; }

    /// <summary>Rows of deliveries ever written.</summary>
    public int DeliveriesWritten { get; private set; }

    public RecoveredState Recover() => new(
        0,
        [.. Sessions.Values],
        [.. Subscriptions.Values],
        [.. Retained.Values],
        [.. Wills.Values],
        [.. Replays.Select(r => new ReplayRow(r.Key.Session, r.Key.Filter, r.Value.AfterNumber, r.Value.UpTo))],
        Deliveries.Values.GroupBy(d => d.Session).ToDictionary(
            g => g.Key, g => new QueueSummary(g.Count(), g.Sum(d => (long)d.Size), g.Max(d => d.Sequence))));

    /// <summary>Every delivery has its message, and every message as many references as it has deliveries.</summary>
    public void Check()
    {
        foreach (var (number, (_, references)) in Messages)
        {
            Assert.Equal(references, Deliveries.Values.Count(d => d.Message == number));
        }

        Assert.All(Deliveries.Values, d => Assert.True(Messages.ContainsKey(d.Message), $"delivery {d.Sequence} has no message"));
    }

    public bool Owns(long session, long epoch) => Sessions.TryGetValue(session, out var row) && row.Epoch == epoch;

    public void PutSession(SessionRow row) => Sessions[row.Number] = row;

    public void DeleteSession(long session)
    {
        Sessions.Remove(session);
        foreach (var delivery in Deliveries.Values.Where(d => d.Session == session).ToList())
        {
            DeleteDelivery(session, delivery.Sequence, delivery.Message);
        }

        foreach (var key in Inbound.Keys.Where(k => k.Session == session).ToList())
        {
            Inbound.Remove(key);
        }

        foreach (var key in Subscriptions.Keys.Where(k => k.Session == session).ToList())
        {
            Subscriptions.Remove(key);
        }
    }

    public void PutSubscription(SubscriptionRow row) => Subscriptions[(row.Session, row.Filter)] = row;

    public void DeleteSubscription(long session, string filter) => Subscriptions.Remove((session, filter));

    public void PutMessage(long number, ApplicationMessage message, int references)
    {
        LastMessage = Math.Max(LastMessage, number);
        Messages[number] = (message, references);
    }

    public void PutDelivery(DeliveryRow row)
    {
        DeliveriesWritten++;
        Deliveries[(row.Session, row.Sequence)] = row;
    }

    public void SetReleased(long session, long sequence)
    {
        if (Deliveries.TryGetValue((session, sequence), out var row))
        {
            Deliveries[(session, sequence)] = row with { Released = true };
        }
    }

    public void DeleteDelivery(long session, long sequence, long message)
    {
        if (Deliveries.Remove((session, sequence)) && Messages.TryGetValue(message, out var stored))
        {
            Messages[message] = (stored.Message, stored.References - 1);
            if (stored.References == 1)
            {
                Messages.TryRemove(message, out _);
            }
        }
    }

    public void PutInboundId(long session, ushort packetId, MessageId inDoubt = default) =>
        Inbound[(session, packetId)] = inDoubt;

    public void DeleteInboundId(long session, ushort packetId) => Inbound.Remove((session, packetId));

    public void ReleaseExclusive(long holder, string filter)
    {
    }

    public void PutDelayed(DelayedRow row) => Delayed[row.Message.Id] = row;

    public void MarkDelayed(MessageId id, MessageId publishedAs)
    {
        if (Delayed.TryGetValue(id, out var row))
        {
            Delayed[id] = row with { PublishedAs = publishedAs };
        }
    }

    public void DeleteDelayed(MessageId id) => Delayed.Remove(id);

    public void PutRetained(string topic, long number, ApplicationMessage message)
    {
        if (!Retained.TryGetValue(topic, out var known) || message.Id > known.Message.Id)
        {
            Retained[topic] = new RetainedRow(topic, number, message);
        }
    }

    public void ClearRetained(string topic, MessageId version)
    {
        if (Retained.TryGetValue(topic, out var known) && version >= known.Message.Id)
        {
            Retained.Remove(topic);
        }
    }

    public void PutWill(WillRow row) => Wills[row.ClientId] = row;

    public void DeleteWill(string clientId) => Wills.Remove(clientId);

    public void PutItem(ItemRow row)
    {
        if (Items.GetValueOrDefault((row.Kind, row.Key)) is not { } known || row.Rank >= known.Rank)
        {
            Items[(row.Kind, row.Key)] = row;
        }
    }

    public void DeleteItem(string kind, string key) => Items.Remove((kind, key));

    public void PutReplay(long session, string filter, long afterNumber, MessageId upTo) =>
        Replays[(session, filter)] = (afterNumber, upTo);

    public void DeleteReplay(long session, string filter) => Replays.Remove((session, filter));

    public void PutLastAlive(long time)
    {
    }
}
