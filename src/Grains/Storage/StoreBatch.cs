using System.Runtime.InteropServices;
using Broker.Grains.Messages;

namespace Broker.Grains.Storage;

/// <summary>
/// Gathers the rows of one transaction, one change per key. Nothing is written before the whole batch is there, so what a
/// later call undoes costs no statement.
/// </summary>
internal class StoreBatch : IStoreBatch
{
    private readonly IKnownSessions _known;
    private readonly Dictionary<(long Session, long Sequence), int> _deliveryIndex = [];
    private readonly List<DeliveryChange> _deliveries = [];
    private int _order;

    /// <param name="known">What is committed.</param>
    public StoreBatch(IKnownSessions known) => _known = known;

    /// <summary>Sessions put; null where the batch deletes the session and does not create it again.</summary>
    public Dictionary<long, SessionRow?> Sessions { get; } = [];

    /// <summary>Position of the deletion of a session: what stands before it about that session is void.</summary>
    public Dictionary<long, int> DeletedSessions { get; } = [];

    public Dictionary<(long Session, string Filter), (SubscriptionRow? Row, int Order)> Subscriptions { get; } = [];

    public Dictionary<(long Session, string Filter), (long? AfterNumber, MessageId UpTo, int Order)> Replays { get; } = [];

    public Dictionary<(long Session, ushort PacketId), (bool Put, MessageId InDoubt, int Order)> InboundIds { get; } = [];

    public Dictionary<long, MessageChange> Messages { get; } = [];

    /// <summary>By topic; no message where it is cleared.</summary>
    public Dictionary<string, (long Number, ApplicationMessage? Message, MessageId Version)> Retained { get; } = [];

    public Dictionary<string, WillRow?> Wills { get; } = [];

    /// <summary>By kind and key; null where it is deleted.</summary>
    public Dictionary<(string Kind, string Key), ItemRow?> Items { get; } = [];

    public Dictionary<MessageId, DelayedChange> Delayed { get; } = [];

    public HashSet<(long Holder, string Filter)> ReleasedExclusives { get; } = [];

    public long? LastAlive { get; private set; }

    /// <summary>Nothing to write, not even a reference to give back.</summary>
    public bool IsEmpty => _deliveries.Count + Sessions.Count + Subscriptions.Count + Replays.Count + InboundIds.Count
        + Messages.Count + Retained.Count + Wills.Count + Items.Count + Delayed.Count + ReleasedExclusives.Count == 0 && LastAlive is null;

    /// <summary>In the order of their first call.</summary>
    public Span<DeliveryChange> Deliveries => CollectionsMarshal.AsSpan(_deliveries);

    public virtual void Clear()
    {
        _order = 0;
        LastAlive = null;
        _deliveryIndex.Clear();
        _deliveries.Clear();
        Sessions.Clear();
        DeletedSessions.Clear();
        Subscriptions.Clear();
        Replays.Clear();
        InboundIds.Clear();
        Messages.Clear();
        Retained.Clear();
        Wills.Clear();
        Items.Clear();
        Delayed.Clear();
        ReleasedExclusives.Clear();
    }

    /// <summary>Whether a session is deleted after position <paramref name="order"/>.</summary>
    public bool IsVoid(long session, int order) =>
        DeletedSessions.Count > 0 && DeletedSessions.TryGetValue(session, out var deleted) && order < deleted;

    public virtual bool Owns(long session, long epoch)
    {
        if (Sessions.Count > 0 && Sessions.TryGetValue(session, out var row))
        {
            return row?.Epoch == epoch;
        }

        return _known.Owns(session, epoch);
    }

    public virtual void PutSession(SessionRow row) => Sessions[row.Number] = row;

    public virtual void DeleteSession(long session)
    {
        Sessions[session] = null;
        DeletedSessions[session] = ++_order;
    }

    public void PutSubscription(SubscriptionRow row) => Subscriptions[(row.Session, row.Filter)] = (row, ++_order);

    public void DeleteSubscription(long session, string filter) => Subscriptions[(session, filter)] = (null, ++_order);

    public void PutMessage(long number, ApplicationMessage message, int references) =>
        Messages[number] = new MessageChange { Message = message, References = references };

    public void PutDelivery(DeliveryRow row)
    {
        ref var change = ref Change(row.Session, row.Sequence, out var existed);
        var mayExist = existed ? change.MayExist : _known.MayHold(row.Session, row.Sequence);
        if (existed && IsVoid(row.Session, change.Order))
        {
            mayExist = false;
        }

        if (existed && change.Kind is DeliveryChangeKind.Put or DeliveryChangeKind.Annulled)
        {
            // The change in the list still owes a message its reference: leave it and start another.
            if (change.Row.Message != row.Message || change.Kind == DeliveryChangeKind.Annulled)
            {
                change.Kind = DeliveryChangeKind.Annulled;
                change = ref Append(row.Session, row.Sequence);
            }
        }

        change.Row = row;
        change.Kind = DeliveryChangeKind.Put;
        change.MayExist = mayExist;
        change.Order = ++_order;
    }

    public void SetReleased(long session, long sequence)
    {
        ref var change = ref Change(session, sequence, out var existed);
        if (!existed)
        {
            change.Row = new DeliveryRow { Session = session, Sequence = sequence };
            change.Kind = DeliveryChangeKind.Release;
            change.MayExist = true;
        }
        else if (change.Kind == DeliveryChangeKind.Put)
        {
            change.Row = change.Row with { Released = true };
        }

        change.Order = ++_order;
    }

    public void DeleteDelivery(long session, long sequence, long message)
    {
        ref var change = ref Change(session, sequence, out var existed);
        if (existed && change.Kind == DeliveryChangeKind.Put && !change.MayExist)
        {
            change.Kind = DeliveryChangeKind.Annulled;
            return;
        }

        if (existed && change.Kind == DeliveryChangeKind.Annulled)
        {
            return;
        }

        if (existed && change.Kind == DeliveryChangeKind.Put)
        {
            change.Kind = DeliveryChangeKind.Annulled;
            change = ref Append(session, sequence);
        }

        change.Row = new DeliveryRow { Session = session, Sequence = sequence, Message = message };
        change.Kind = DeliveryChangeKind.Delete;
        change.MayExist = true;
        change.Order = ++_order;
    }

    public void PutInboundId(long session, ushort packetId, MessageId inDoubt = default) =>
        InboundIds[(session, packetId)] = (true, inDoubt, ++_order);

    public void DeleteInboundId(long session, ushort packetId) => InboundIds[(session, packetId)] = (false, default, ++_order);

    public void PutRetained(string topic, long number, ApplicationMessage message)
    {
        if (!Retained.TryGetValue(topic, out var known) || message.Id > known.Version)
        {
            Retained[topic] = (number, message, message.Id);
        }
    }

    public void ClearRetained(string topic, MessageId version)
    {
        if (!Retained.TryGetValue(topic, out var known) || version >= known.Version)
        {
            Retained[topic] = (0, null, version);
        }
    }

    public void PutWill(WillRow row) => Wills[row.ClientId] = row;

    public void DeleteWill(string clientId) => Wills[clientId] = null;

    public void PutItem(ItemRow row)
    {
        if (Items.GetValueOrDefault((row.Kind, row.Key)) is not { } known || row.Rank >= known.Rank)
        {
            Items[(row.Kind, row.Key)] = row;
        }
    }

    public void DeleteItem(string kind, string key) => Items[(kind, key)] = null;

    public void ReleaseExclusive(long holder, string filter) => ReleasedExclusives.Add((holder, filter));

    public void PutDelayed(DelayedRow row) => Delayed[row.Message.Id] = new DelayedChange(row, null);

    public void MarkDelayed(MessageId id, MessageId publishedAs)
    {
        if (!Delayed.TryGetValue(id, out var known))
        {
            Delayed[id] = new DelayedChange(null, publishedAs);
        }
        else if (known.Row is { } row)
        {
            Delayed[id] = new DelayedChange(row with { PublishedAs = publishedAs }, null);
        }
    }

    public void DeleteDelayed(MessageId id) => Delayed[id] = default;

    public void PutReplay(long session, string filter, long afterNumber, MessageId upTo) =>
        Replays[(session, filter)] = (afterNumber, upTo, ++_order);

    public void DeleteReplay(long session, string filter) => Replays[(session, filter)] = (null, MessageId.None, ++_order);

    public void PutLastAlive(long time) => LastAlive = time;

    private ref DeliveryChange Change(long session, long sequence, out bool existed)
    {
        ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(_deliveryIndex, (session, sequence), out existed);
        if (!existed)
        {
            index = _deliveries.Count;
            _deliveries.Add(default);
        }

        return ref CollectionsMarshal.AsSpan(_deliveries)[index];
    }

    private ref DeliveryChange Append(long session, long sequence)
    {
        _deliveryIndex[(session, sequence)] = _deliveries.Count;
        _deliveries.Add(default);
        return ref CollectionsMarshal.AsSpan(_deliveries)[^1];
    }
}
