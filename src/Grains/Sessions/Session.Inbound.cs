using Broker.Grains.Messages;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>QoS 2 messages from the client: each routed once, its packet id remembered until PUBREL (MQTT section 4.3.3).</summary>
public sealed partial class Session
{
    private readonly Dictionary<ushort, Inbound> _inbound = [];

    // Ids that were given up and may still have a row, each with what waits until it has none. Most sessions never have one.
    private Dictionary<ushort, Action?>? _givenUp;

    /// <summary>
    /// Notes a QoS 2 PUBLISH. <see cref="InboundStatus.Duplicate"/>: it has been routed, wait for
    /// <paramref name="earlier"/> if there is one and send PUBREC.
    /// </summary>
    /// <param name="epoch">Epoch that the CONNECT was given: what an earlier connection still had in its hands is not listened to.</param>
    /// <param name="inDoubt">Id under which to publish again a <see cref="InboundStatus.Repeat"/>.</param>
    /// <param name="isNew">
    /// Whether it was not sent before [MQTT-3.3.1-1], because it has no DUP: an id that has waited for PUBREL longer than <c>AwaitRelTimeout</c> is free
    /// for it, because a client that uses it for another message has lost what it knew of the former one.
    /// </param>
    public InboundStatus BeginInbound(
        long epoch, ushort packetId, out PublishRecord? earlier, out MessageId inDoubt, bool isNew = false)
    {
        earlier = null;
        inDoubt = MessageId.None;
        lock (_gate)
        {
            if (epoch != Epoch)
            {
                return InboundStatus.Superseded;
            }

            if (FindInbound(packetId, isNew) is { } known)
            {
                earlier = known.Record;
                inDoubt = known.InDoubt;
                return known.IsRouted ? InboundStatus.Duplicate : InboundStatus.Repeat;
            }

            if (_inbound.Count >= _env.Options.MaxAwaitingRel && !GiveUpTimedOut())
            {
                return InboundStatus.TooMany;
            }

            _inbound.Add(packetId, new Inbound(Environment.TickCount64) { BegunBy = epoch });
            return InboundStatus.New;
        }
    }

    /// <summary>Whether a QoS 2 PUBLISH with this id is an <see cref="InboundStatus.Duplicate"/>. One that is not is not noted.</summary>
    /// <param name="epoch">As for <see cref="BeginInbound"/>, and so are the others.</param>
    public bool IsDuplicate(long epoch, ushort packetId, out PublishRecord? earlier, bool isNew = false)
    {
        lock (_gate)
        {
            var known = FindInbound(packetId, isNew && epoch == Epoch);
            earlier = known?.Record;
            return known is { IsRouted: true };
        }
    }

    /// <summary>
    /// The record that makes the packet id durable; a duplicate of the PUBLISH waits for it. False when another CONNECT has been
    /// accepted since: the PUBLISH must not be routed, its client sends it again on the new connection.
    /// </summary>
    public bool SetInboundRecord(long epoch, ushort packetId, PublishRecord record)
    {
        lock (_gate)
        {
            if (epoch != Epoch)
            {
                return false;
            }

            if (_inbound.TryGetValue(packetId, out var entry))
            {
                entry.Record = record;
                entry.BegunBy = 0;
            }

            return true;
        }
    }

    /// <summary>Takes back <see cref="SetInboundRecord"/>: a repetition was not routed, and stays in doubt.</summary>
    public void ForgetInboundRecord(ushort packetId, PublishRecord record)
    {
        lock (_gate)
        {
            if (_inbound.TryGetValue(packetId, out var entry) && entry.Record == record)
            {
                entry.Record = null;
            }
        }
    }

    /// <summary>Takes back <see cref="BeginInbound"/>: the publish was not routed and its packet id is free.</summary>
    public void CancelInbound(long epoch, ushort packetId)
    {
        lock (_gate)
        {
            if (epoch == Epoch)
            {
                _inbound.Remove(packetId);
            }
        }
    }

    /// <summary>
    /// The publish was refused after it was routed: <paramref name="forgotten"/> runs when its packet id is free, also in the
    /// store, so that another message with it is not taken for a repetition.
    /// </summary>
    public void RefuseInbound(long epoch, ushort packetId, Action forgotten)
    {
        if (IsDurable && ReleaseInbound(epoch, packetId, forgotten))
        {
            return;
        }

        CancelInbound(epoch, packetId);
        lock (_gate)
        {
            if (_givenUp?.ContainsKey(packetId) == true)
            {
                // The row of a former message with this id would make a repetition of the next one, after a crash.
                _givenUp[packetId] += forgotten;
                return;
            }
        }

        forgotten();
    }

    /// <summary>
    /// Whether a QoS 2 PUBLISH that was refused has been to other silos: some of its subscribers may have it. It has to stay
    /// open: a client that is told of a refusal publishes it anew, and those get it twice (promise 2).
    /// </summary>
    public bool HasBeenElsewhere(ushort packetId)
    {
        lock (_gate)
        {
            return _inbound.TryGetValue(packetId, out var entry)
                && (entry.Record is { Message.MayRepeat: true } || entry.InDoubt != MessageId.None);
        }
    }

    /// <summary>
    /// Handles PUBREL. False when the id is unknown (PUBCOMP 0x92). For a durable session <paramref name="forgotten"/> runs
    /// when that it was released is durable: only then may PUBCOMP leave, because the client may use the id again for another message
    /// [MQTT-4.3.3-12]. Nothing is done, and nothing is to be answered, when another CONNECT has been accepted since: the id may stand for
    /// another message by now.
    /// </summary>
    public bool ReleaseInbound(long epoch, ushort packetId, Action forgotten)
    {
        lock (_gate)
        {
            if (epoch != Epoch)
            {
                return true;
            }

            if (!_inbound.TryGetValue(packetId, out var entry))
            {
                return false;
            }

            if (IsDurable)
            {
                // A PUBREL that is repeated, here or on the next connection, waits for the same write.
                var isFirst = entry.Forgotten is null;
                entry.Forgotten = forgotten;
                if (isFirst)
                {
                    _env.Store.Post(new InboundRelease(this, packetId, isGivenUp: false));
                }

                return true;
            }

            _inbound.Remove(packetId);
        }

        forgotten();
        return true;
    }

    private void InboundForgotten(ushort packetId, bool isGivenUp)
    {
        Action? forgotten = null;
        lock (_gate)
        {
            if (isGivenUp)
            {
                // Another message may have taken the id meanwhile; that one stays.
                _givenUp?.Remove(packetId, out forgotten);
            }
            else if (_inbound.TryGetValue(packetId, out var entry) && entry.Forgotten is not null)
            {
                forgotten = entry.Forgotten;
                _inbound.Remove(packetId);
            }
        }

        forgotten?.Invoke();
    }

    /// <summary>The commit of a QoS 2 PUBLISH has ended, and nothing else is to be done for it.</summary>
    internal void InboundCompleted(ushort packetId, bool isCommitted)
    {
        lock (_gate)
        {
            if (!isCommitted)
            {
                _inbound.Remove(packetId);
            }
            else if (_inbound.TryGetValue(packetId, out var entry))
            {
                entry.Record = null;
            }
        }
    }

    /// <summary>What is known of the id of a QoS 2 PUBLISH that has come.</summary>
    private Inbound? FindInbound(ushort packetId, bool isNew)
    {
        if (!_inbound.TryGetValue(packetId, out var known))
        {
            return null;
        }

        if (known.BegunBy != 0 && known.BegunBy != Epoch)
        {
            // An earlier connection has noted it and was taken over before it routed it, which it does not do any more.
            _inbound.Remove(packetId);
            return null;
        }

        var now = Environment.TickCount64;
        known.Settle();
        if (isNew && HasTimedOut(known, now))
        {
            GiveUp(packetId);
            return null;
        }

        known.Since = now;
        return known;
    }

    /// <summary>
    /// Makes room; false when there is none to make. A client that has kept its state repeats what it has not finished when it connects
    /// [MQTT-4.4.0-1]: what it still cares for is not old.
    /// </summary>
    private bool GiveUpTimedOut()
    {
        var now = Environment.TickCount64;
        var before = _inbound.Count;
        foreach (var (packetId, entry) in _inbound)
        {
            if (HasTimedOut(entry, now))
            {
                GiveUp(packetId);
            }
        }

        return _inbound.Count < before;
    }

    /// <summary>
    /// Whether an id may be given up. Not while its PUBREL is on the way into the store or its publish has no outcome, and not when some
    /// silos may have missed that: published anew, it would come to the others twice (promise 2).
    /// </summary>
    private bool HasTimedOut(Inbound entry, long now)
    {
        entry.Settle();
        return now - entry.Since > (long)_env.Options.AwaitRelTimeout.TotalMilliseconds
            && entry is { Forgotten: null, IsOpen: false, IsRouted: true };
    }

    private void GiveUp(ushort packetId)
    {
        _inbound.Remove(packetId);
        if (IsDurable)
        {
            // Before the rows of another message with this id, which are posted later.
            (_givenUp ??= []).TryAdd(packetId, null);
            _env.Store.Post(new InboundRelease(this, packetId, isGivenUp: true));
        }
    }

    private sealed class Inbound(long since)
    {
        /// <summary>When its PUBLISH last came, in milliseconds of the monotonic clock.</summary>
        public long Since { get; set; } = since;

        /// <summary>Epoch of the connection that has noted it and not come to set a record; 0 once there is, or was, one.</summary>
        public long BegunBy { get; set; }

        /// <summary>The publish as long as it has no outcome, and until somebody asks.</summary>
        public PublishRecord? Record { get; set; }

        public bool IsOpen => Record is { IsDone: false };

        /// <summary>Id of a publish that has to be published again when it comes again, see <see cref="InboundRow"/>.</summary>
        public MessageId InDoubt { get; set; }

        /// <summary>Whether it went to everybody, or is about to.</summary>
        public bool IsRouted => Record is not null || InDoubt == MessageId.None;

        /// <summary>PUBREL has arrived: what to do when that is durable.</summary>
        public Action? Forgotten { get; set; }

        /// <summary>A publish that was refused by another silo has reached some and not others.</summary>
        public void Settle()
        {
            if (Record is { IsDone: true } record)
            {
                InDoubt = record.IsRefused ? record.Message.Id : MessageId.None;
                Record = null;
            }
        }
    }

    private sealed class InboundRelease(Session session, ushort packetId, bool isGivenUp) : StoreWrite
    {
        private bool _isOwned;

        public override bool MustSucceed => true;

        public override void AddTo(IStoreBatch batch)
        {
            _isOwned = batch.Owns(session.Number, session.StoreEpoch);
            if (_isOwned)
            {
                batch.DeleteInboundId(session.Number, packetId);
            }
        }

        public override void Complete(Exception? error)
        {
            // Repeated until it succeeds; an error means that the broker is stopping.
            if (error is null && !_isOwned)
            {
                session.NoteFenced();
            }
            else if (error is null)
            {
                session.InboundForgotten(packetId, isGivenUp);
            }
        }
    }
}

/// <summary>Answer of <see cref="Session.BeginInbound"/>.</summary>
public enum InboundStatus
{
    /// <summary>Route it.</summary>
    New,

    /// <summary>It has been routed; only acknowledge.</summary>
    Duplicate,

    /// <summary>It was routed by a silo that may not have come to its end: route it to those that do not have it.</summary>
    Repeat,

    /// <summary><c>MaxAwaitingRel</c> ids wait already: Receive Maximum exceeded.</summary>
    TooMany,

    /// <summary>Another CONNECT has been accepted since: do nothing.</summary>
    Superseded,
}
