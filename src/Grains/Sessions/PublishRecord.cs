using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>Told when everything a publish has to wait for is committed or already acknowledged (promise 1).</summary>
public interface IPublishWaiter
{
    /// <param name="reason">Success, or why the publish was refused. Called once, on any thread; must not block.</param>
    void Published(ReasonCode reason);
}

/// <summary>
/// A publish that something durable depends on: its message, its deliveries to durable sessions, and the rows that must
/// become durable with it (a QoS 2 packet id, a retained message, the end of a Will). It is one transaction.
/// <para>
/// Its publisher is acknowledged when each delivery is committed, or acknowledged by its subscriber, or dropped for good,
/// whichever comes first. A record whose deliveries all went to clients that acknowledge fast is held back by
/// <see cref="AckGraceQueue"/>; if all acknowledge in time it is never written.
/// </para>
/// </summary>
public sealed class PublishRecord(ApplicationMessage message, long number, IMessageStore store) : StoreWrite
{
    private static readonly object Done = new();

    private readonly Lock _posting = new();

    // Chained through Delivery.NextInRecord, newest first: most records have one delivery and one waiter, no list needed.
    private Delivery? _deliveries;
    private int _deliveryCount;

    // Nobody, one who waits, an array of several, or Done. Without a lock: whoever completes a record may hold the lock of a session, which
    // is asked for with _posting held when the store refuses at once.
    private object? _waiters;
    private Session? _inboundSession;
    private PublisherRecords? _publisher;
    private long _turn;
    private Exception? _refusalBefore;
    private Action<IStoreBatch>? _rows;
    private Action? _committed;
    private ushort _inboundId;
    private MessageId _delayed;
    private bool _hasOwnRows;
    private bool _isUrgent;
    private bool _isSealed;
    private bool _isWanted;
    private bool _isPosted;
    private bool _isFenced;
    private bool _isRefusedHere;
    private int _outcome = (int)ReasonCode.Success;
    private RemoteRouting? _forward;
    private int _forwardPhase;

    // One for whoever is still adding deliveries; the rest are deliveries, own rows, the turn of other silos, and those of
    // them that have not answered.
    private int _open = 1;

    public ApplicationMessage Message => message;

    /// <summary>Number of the message's row.</summary>
    public long Number => number;

    /// <summary>Whether it should be written at once instead of waiting for fast acknowledgements.</summary>
    public bool IsUrgent => _isUrgent || Volatile.Read(ref _isWanted);

    /// <summary>Whether anything durable has joined.</summary>
    public bool HasWork => _deliveryCount > 0 || IsUrgent;

    /// <summary>Whether nothing is waited for any more.</summary>
    public bool IsDone => Volatile.Read(ref _waiters) == Done;

    /// <summary>Whether its publisher is told that it failed; settled when it is done.</summary>
    public bool IsRefused => Outcome is not (ReasonCode.Success or InternalOutcome.Elsewhere);

    private ReasonCode Outcome => (ReasonCode)Volatile.Read(ref _outcome);

    /// <summary>
    /// Whether a row tells, after the death of this silo, that it has been published: the packet id of a durable session, or that of
    /// a delayed message. Then it may be published again, and nobody gets it twice (promise 2).
    /// </summary>
    public bool IsRemembered => _inboundSession is not null || _delayed != MessageId.None;

    /// <summary>Whether the row of a delayed message goes with it, because no other silo takes part.</summary>
    internal bool RemovesDelayed => _delayed != MessageId.None && _forward is null;

    /// <inheritdoc />
    public override bool MustSucceed => IsKept;

    /// <summary>Nobody is there to repeat it: a failed commit is tried again.</summary>
    internal bool IsKept { get; init; }

    /// <inheritdoc />
    public override int Bytes => message.Size + (_deliveryCount * 64) + 64;

    /// <inheritdoc />
    public override int Rows => _deliveryCount + 1;

    internal long GraceUntil { get; set; }

    /// <summary>Adds a delivery. Only before <see cref="Seal"/>; guarded by the caller.</summary>
    internal void Add(Delivery delivery, bool urgent)
    {
        delivery.Record = this;
        delivery.SetRowState(RowState.Pending);
        delivery.NextInRecord = _deliveries;
        _deliveries = delivery;
        _deliveryCount++;
        Interlocked.Increment(ref _open);
        _isUrgent |= urgent;
    }

    /// <summary>
    /// Whether an earlier publish of its publisher has been refused, so that this one will be as well: whoever has not had it must
    /// not get it before what is sent again (promise 3).
    /// </summary>
    internal bool IsOvertaking => _publisher?.RefusalBefore(_turn) is not null;

    /// <summary>A record for a message, with its place in the order of its publisher.</summary>
    /// <param name="isKept">Whether a failed commit is tried again instead of reported.</param>
    public static PublishRecord For(ref PublishSource source, IMessageStore store, bool isKept = false)
    {
        // Nobody is told of a refused QoS 0 message, nor sends it again.
        var publisher = source.Qos == QualityOfService.AtMostOnce ? null : source.Order;
        return new PublishRecord(source.Materialize(), store.NextMessageNumber(), store)
        {
            IsKept = isKept,
            _publisher = publisher,
            _turn = publisher?.NextTurn() ?? 0,
        };
    }

    /// <summary>The packet id of a QoS 2 publish of a durable session becomes durable with it.</summary>
    public void RememberInbound(Session session, ushort packetId)
    {
        _inboundSession = session;
        _inboundId = packetId;
        AddOwnRows();
    }

    /// <summary>It is a delayed message that is due: its row goes with it, or is marked when other silos take part.</summary>
    internal void RememberDelayed(MessageId id)
    {
        _delayed = id;
        AddOwnRows();
    }

    /// <summary>It is not published, and leaves nothing in the store. Only before <see cref="Seal"/>, and before any delivery.</summary>
    internal void Refuse(ReasonCode reason)
    {
        _isRefusedHere = true;
        Note(reason);
    }

    /// <summary>Rows that must become durable with it, and what to do once they are.</summary>
    internal void AddRows(Action<IStoreBatch> rows, Action? committed = null)
    {
        _rows += rows;
        _committed += committed;
        AddOwnRows();
    }

    /// <summary>Tells <paramref name="waiter"/> the outcome: now if there is one, else when there is.</summary>
    public void Wait(IPublishWaiter waiter)
    {
        for (var current = Volatile.Read(ref _waiters); current != Done;)
        {
            object all = current switch
            {
                null => waiter,
                IPublishWaiter one => (IPublishWaiter[])[one, waiter],
                _ => (IPublishWaiter[])[.. (IPublishWaiter[])current, waiter],
            };
            var before = Interlocked.CompareExchange(ref _waiters, all, current);
            if (before == current)
            {
                return;
            }

            current = before;
        }

        waiter.Published(Outcome);
    }

    /// <summary>Another silo has to answer before its publisher is told. Only before <see cref="Seal"/>.</summary>
    internal void Ask() => Interlocked.Increment(ref _open);

    /// <summary>A silo that was asked has answered.</summary>
    internal void Answered(ReasonCode reason)
    {
        if (reason is not (ReasonCode.Success or InternalOutcome.Elsewhere))
        {
            // A client that may have to repeat it ends with it, see ClientConnection.RefuseOnce.
            _publisher?.NoteRefusalElsewhere(_turn, reason, isRepeated: message.MayRepeat);
        }

        Note(reason);
        Resolve();
    }

    /// <summary>The first refusal counts, and a refusal counts more than a session that has gone elsewhere.</summary>
    private void Note(ReasonCode reason)
    {
        if (reason != ReasonCode.Success
            && Interlocked.CompareExchange(ref _outcome, (int)reason, (int)ReasonCode.Success) == (int)InternalOutcome.Elsewhere)
        {
            Interlocked.CompareExchange(ref _outcome, (int)reason, (int)InternalOutcome.Elsewhere);
        }
    }

    /// <summary>
    /// Other silos have their turn once it is committed, with the packet id and the message id: whoever sees the publish
    /// again can then tell what it is a repetition of (promise 2).
    /// </summary>
    /// <param name="phase">Of the <see cref="RoutingGate"/>; it is left when they had it.</param>
    internal void ForwardOnceCommitted(RemoteRouting remote, int phase)
    {
        _forward = remote;
        _forwardPhase = phase;
        Interlocked.Increment(ref _open);
    }

    /// <summary>No more deliveries or rows will be added. Whoever seals it then posts it, or holds it back (<see cref="PublisherRecords"/>).</summary>
    public void Seal()
    {
        // Before the interlocked operation that Resolve begins with, see Post.
        Volatile.Write(ref _isSealed, true);
        Resolve();
    }

    /// <summary>
    /// Hands it to the store's writer unless that has happened or nothing waits for it any more. Before <see cref="Seal"/> it only
    /// becomes urgent: what is still to join belongs to the same transaction, and the acknowledgement waits for all of it (promise 1).
    /// </summary>
    public void Post()
    {
        if (!Volatile.Read(ref _isSealed))
        {
            Volatile.Write(ref _isWanted, true);

            // Either this sees that it is sealed, or whoever seals it sees that it is urgent.
            Interlocked.MemoryBarrier();
            if (!Volatile.Read(ref _isSealed))
            {
                return;
            }
        }

        // The lock makes "posted" true only once it stands in the writer's queue: a later record of the same publisher,
        // posted right after, cannot overtake it.
        lock (_posting)
        {
            if (_isPosted || IsDone || !HasWork)
            {
                return;
            }

            _isPosted = true;
            store.Post(this);
        }
    }

    /// <summary>The grace is over: subscribers that let it pass are slow from here on.</summary>
    internal void NoteGraceOver()
    {
        for (var delivery = _deliveries; delivery is not null; delivery = delivery.NextInRecord)
        {
            delivery.Session.GraceExpired(delivery);
        }
    }

    /// <inheritdoc />
    public override void AddTo(IStoreBatch batch)
    {
        // Posted before the publisher could know of the refusal; stored, it would stand before what is sent again (promise 3).
        _refusalBefore = _publisher?.RefusalBefore(_turn);
        if (_isRefusedHere || _refusalBefore is not null)
        {
            return;
        }

        if (_inboundSession is { } publisher)
        {
            if (!batch.Owns(publisher.Number, publisher.StoreEpoch))
            {
                // Whoever has the publisher's session will get the publish again, and could not tell that it was routed here.
                throw new SessionFencedException(publisher.Number);
            }

            batch.PutInboundId(publisher.Number, _inboundId, _forward is null ? MessageId.None : message.Id);
        }

        if (RemovesDelayed)
        {
            batch.DeleteDelayed(_delayed);
        }
        else if (_delayed != MessageId.None)
        {
            batch.MarkDelayed(_delayed, message.Id);
        }

        var references = 0;
        for (var delivery = _deliveries; delivery is not null; delivery = delivery.NextInRecord)
        {
            // Pending to Taken; a retry after a failed commit finds it Taken already.
            if (!delivery.TryMove(RowState.Pending, RowState.Taken) && delivery.RowState != RowState.Taken)
            {
                continue;
            }

            if (!batch.Owns(delivery.Session.Number, delivery.Session.StoreEpoch))
            {
                delivery.SetRowState(RowState.None);
                _isFenced |= delivery.Session.NoteFenced();
                continue;
            }

            references++;
            batch.PutDelivery(delivery.ToRow());
        }

        if (references > 0)
        {
            batch.PutMessage(number, message, references);
        }

        _rows?.Invoke(batch);
    }

    /// <inheritdoc />
    public override void Complete(Exception? error)
    {
        if (_refusalBefore is not null)
        {
            error = _refusalBefore;
        }
        else if (error is not null)
        {
            _publisher?.NoteRefusal(_turn, error);
        }

        if (error is not null)
        {
            Note(StoreErrors.ReasonFor(error));
        }
        else if (_isFenced)
        {
            Note(InternalOutcome.Elsewhere);
        }

        for (var delivery = _deliveries; delivery is not null; delivery = delivery.NextInRecord)
        {
            delivery.Session.StorageCompleted(delivery, error is null);
        }

        if (_inboundSession is not null && (_forward is null || error is not null))
        {
            _inboundSession.InboundCompleted(_inboundId, error is null && !_isRefusedHere);
        }

        if (error is null)
        {
            _committed?.Invoke();
        }

        if (_forward is { } remote)
        {
            remote.Committed(this, _forwardPhase, error is null);
            Resolve();
        }

        if (_hasOwnRows)
        {
            Resolve();
        }
    }

    /// <summary>One thing less to wait for.</summary>
    internal void Resolve()
    {
        if (Interlocked.Decrement(ref _open) > 0)
        {
            return;
        }

        // Nobody joins any more, see Wait.
        switch (Interlocked.Exchange(ref _waiters, Done))
        {
            case IPublishWaiter one:
                one.Published(Outcome);
                break;
            case IPublishWaiter[] several:
                Array.ForEach(several, waiter => waiter.Published(Outcome));
                break;
            default:
                break;
        }
    }

    private void AddOwnRows()
    {
        if (!_hasOwnRows)
        {
            _hasOwnRows = true;
            Interlocked.Increment(ref _open);
        }

        _isUrgent = true;
    }
}
