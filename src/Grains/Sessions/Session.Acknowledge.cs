using System.Text;
using Broker.Grains.Hooks;
using Broker.Grains.Messages;
using Broker.Grains.Shared;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>Acknowledgements from the client for what was sent to it, and timed retry.</summary>
public sealed partial class Session
{
    // Rows that one write deletes. A queue is emptied faster than rows are deleted, and a transaction that deletes all that has gathered
    // meanwhile takes longer each time, until it takes as long as a store that does not answer.
    private const int MaxAcknowledgedRows = 1024;

    // The last write that deletes rows, until it is full or the writer has come to it.
    private AcknowledgedWrite? _acknowledged;

    // Acknowledged deliveries whose row stays for now, see Delivery.InDoubt.
    private int _heldBack;

    // Whether the client has lately acknowledged within the grace; decides if a commit may wait for it (AckGraceQueue).
    private bool _acknowledgesFast = true;

    /// <summary>
    /// Handles PUBACK, PUBREC and PUBCOMP [MQTT-4.3.2-3], [MQTT-4.3.3-3]. Of those that are unknown the caller answers a PUBREC
    /// with PUBREL 0x92 and ignores the rest; one of another kind ends the connection [MQTT-4.13.1-1], [MQTT-4.8.0-1] of 3.1.1.
    /// </summary>
    public AcknowledgeResult Acknowledge(IClientLink link, PacketType type, ushort packetId, ReasonCode reason)
    {
        lock (_gate)
        {
            if (_link != link)
            {
                return AcknowledgeResult.Done;
            }

            var delivery = FindInflight(packetId);
            switch (type)
            {
                case PacketType.PubAck when delivery?.Qos == QualityOfService.AtLeastOnce:
                    NoteSpeed(delivery);
                    if (reason < ReasonCode.UnspecifiedError)
                    {
                        TellAcked(delivery);
                    }

                    // Refused or not: the client has answered, and it is not sent again [MQTT-4.4.0-2].
                    Complete(delivery);
                    return AcknowledgeResult.Done;

                case PacketType.PubRec when delivery?.Qos == QualityOfService.ExactlyOnce:
                    Received(delivery, reason);
                    return AcknowledgeResult.Done;

                case PacketType.PubComp when delivery is { Qos: QualityOfService.ExactlyOnce, Released: true }:
                    Complete(delivery);
                    return AcknowledgeResult.Done;

                default:
                    return delivery is null ? AcknowledgeResult.Unknown : AcknowledgeResult.OtherKind;
            }
        }
    }

    /// <summary>
    /// Sends again what has waited longer than <paramref name="interval"/> for an acknowledgement: for 3.x clients only,
    /// MQTT 5.0 forbids it [MQTT-4.4.0-1].
    /// </summary>
    public void RetryUnacknowledged(TimeSpan interval)
    {
        lock (_gate)
        {
            var due = Environment.TickCount64 - (long)interval.TotalMilliseconds;
            for (var item = _inflight.First; item is not null && CanSend; item = item.Next)
            {
                if (item.SentAt > due)
                {
                    continue;
                }

                if (item.MayRelease)
                {
                    _link!.Acknowledge(PacketType.PubRel, item.PacketId, ReasonCode.Success);
                }
                else if (item.Message is not null && !item.Released)
                {
                    var source = new PublishSource(item.Message);
                    if (TrySend(item, source) != SendStatus.Sent)
                    {
                        return;
                    }
                }

                item.SentAt = Environment.TickCount64;
            }
        }
    }

    /// <summary>A delivery's grace is over and the client has not acknowledged it.</summary>
    internal void GraceExpired(Delivery delivery)
    {
        lock (_gate)
        {
            if (delivery.RowState == RowState.Pending)
            {
                _acknowledgesFast = false;
            }
        }
    }

    private void NoteSpeed(Delivery delivery)
    {
        if (IsDurable)
        {
            _acknowledgesFast = Environment.TickCount64 - delivery.SentAt <= AckGraceQueue.Grace(_env.StoreOptions);
        }
    }

    private Delivery? FindInflight(ushort packetId)
    {
        // Clients acknowledge in order [MQTT-4.6.0-2], so the first is nearly always the one.
        for (var item = _inflight.First; item is not null; item = item.Next)
        {
            if (item.PacketId == packetId)
            {
                return item;
            }
        }

        return null;
    }

    private void Complete(Delivery delivery)
    {
        _inflight.Remove(delivery);
        LetGo(delivery);
        Pump();
    }

    /// <summary>A delivery is done with; its row goes, or stays as long as its publisher may publish it again.</summary>
    private void LetGo(Delivery delivery)
    {
        if (delivery.InDoubt != MessageId.None && _env.HoldBack is { } holdBack)
        {
            _heldBack++;
            Release(delivery);
            EndLoan(delivery, LoanOutcome.Acknowledged);
            holdBack(delivery);
        }
        else
        {
            Forget(delivery);
        }
    }

    /// <summary>Its publisher will not publish it again: the row of a delivery that was held back may go.</summary>
    internal void EndHoldBack(Delivery delivery)
    {
        lock (_gate)
        {
            _heldBack--;
            DeleteRow(delivery);
        }
    }

    private void Received(Delivery delivery, ReasonCode reason)
    {
        if (reason >= ReasonCode.UnspecifiedError)
        {
            // The client refused it: it is not sent again [MQTT-4.4.0-2], and the packet id is free (MQTT 5.0 section 4.3.3).
            _inflight.Remove(delivery);
            Forget(delivery);
            Pump();
            return;
        }

        if (delivery.Released)
        {
            if (delivery.MayRelease)
            {
                SendPubRel(delivery);
            }

            return;
        }

        TellAcked(delivery);

        // Only PUBREL is sent from here on [MQTT-4.3.3-6].
        delivery.Released = true;
        delivery.Message = null;
        Release(delivery);
        EndLoan(delivery, LoanOutcome.Acknowledged);
        if (IsDurable)
        {
            _env.Store.Post(new ReleaseWrite(this, delivery));
        }
        else
        {
            delivery.MayRelease = true;
            SendPubRel(delivery);
        }
    }

    private void TellAcked(Delivery delivery)
    {
        if (_env.Acknowledgements is { } trail && delivery.Message is { } known)
        {
            trail.Add(known.Id, ClientId, delivery.PacketId);
        }

        if (_env.Events is { } events && events.Has(BrokerEventKind.MessageAcked) && delivery.Message is { } message)
        {
            events.Tell(new MessageAcked
            {
                Time = events.Now,
                ClientId = ClientId,
                Topic = Encoding.UTF8.GetString(message.Topic),
                Qos = (int)delivery.Qos,
                PacketId = delivery.PacketId,
                MessageId = message.Id.ToString(),
            });
        }
    }

    /// <summary>The answer to PUBREC [MQTT-4.3.3-4]; it stays in flight until PUBCOMP [MQTT-4.3.3-5].</summary>
    private void SendPubRel(Delivery delivery)
    {
        delivery.SentAt = Environment.TickCount64;
        _link?.Acknowledge(PacketType.PubRel, delivery.PacketId, ReasonCode.Success);
    }

    /// <summary>After Attach: PUBREL for every id whose PUBREC arrived on an earlier connection.</summary>
    private void ResumeReleased()
    {
        for (var item = _inflight.First; item is not null; item = item.Next)
        {
            if (item.MayRelease)
            {
                SendPubRel(item);
            }
        }
    }

    private void DeleteRow(Delivery delivery)
    {
        if (delivery.RowState == RowState.None || delivery.TryMove(RowState.Pending, RowState.Cancelled))
        {
            return;
        }

        // One write for those that gather until the writer comes to it.
        if (_acknowledged is null || _acknowledged.Rows == MaxAcknowledgedRows)
        {
            _acknowledged = new AcknowledgedWrite(this);
            _env.Store.Post(_acknowledged);
        }

        _acknowledged.Add(delivery);
    }

    /// <summary>Deletes the rows of what the client has acknowledged.</summary>
    private sealed class AcknowledgedWrite(Session session) : StoreWrite
    {
        private readonly List<(long Sequence, long Message)> _rows = [];

        public override bool MustSucceed => true;

        public override int Rows => _rows.Count;

        /// <summary>Under the lock of the session, before the writer has come to it.</summary>
        public void Add(Delivery delivery) => _rows.Add((delivery.Sequence, delivery.MessageNumber));

        public override void AddTo(IStoreBatch batch)
        {
            lock (session._gate)
            {
                if (session._acknowledged == this)
                {
                    session._acknowledged = null;
                }
            }

            if (!batch.Owns(session.Number, session.StoreEpoch))
            {
                return;
            }

            foreach (var (sequence, message) in _rows)
            {
                batch.DeleteDelivery(session.Number, sequence, message);
            }
        }
    }

    /// <summary>PUBREC has arrived: durable before PUBREL leaves (promise 2), in the order they came [MQTT-4.6.0-4] of 3.1.1.</summary>
    private sealed class ReleaseWrite(Session session, Delivery delivery) : StoreWrite
    {
        private bool _isOwned;

        public override bool MustSucceed => true;

        public override void AddTo(IStoreBatch batch)
        {
            _isOwned = batch.Owns(session.Number, session.StoreEpoch);
            if (_isOwned)
            {
                batch.SetReleased(session.Number, delivery.Sequence);
            }
        }

        public override void Complete(Exception? error)
        {
            if (error is not null)
            {
                // Repeated until it succeeds; an error means that the broker is stopping.
                return;
            }

            if (!_isOwned)
            {
                session.NoteFenced();
                return;
            }

            lock (session._gate)
            {
                delivery.MayRelease = true;
                if (delivery.List == session._inflight)
                {
                    session.SendPubRel(delivery);
                }
            }
        }
    }
}
