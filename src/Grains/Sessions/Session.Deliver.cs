using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>Messages towards the client: the window, the queue and what is dropped.</summary>
public sealed partial class Session
{
    private readonly SessionQueue _queue = new();
    private readonly DeliveryList _inflight = new();
    private long _lastSequence;
    private long _oldestInflight;
    private bool _isBlocked;

    // Deliveries of a dormant session are rows and these two numbers.
    private int _dormantCount;
    private long _dormantBytes;

    // Those of them whose commit has not ended; a load waits for it.
    private int _dormantOpen;

    /// <summary>
    /// Delivers a message: at once when the client is connected, the window is open and nothing waits before it, else into
    /// the queue, so that all go out in the order they came in [MQTT-4.6.0-5] [MQTT-4.6.0-6]. A delivery that must survive joins
    /// <paramref name="record"/>, which is made when the first one does.
    /// </summary>
    /// <param name="qos">The smaller of the publish's and the granted QoS [MQTT-3.8.4-8].</param>
    /// <returns>False when the session has ended and counts as no subscriber.</returns>
    internal bool Deliver(
        ref PublishSource source, QualityOfService qos, bool retain, scoped ReadOnlySpan<uint> identifiers, ref PublishRecord? record)
    {
        lock (_gate)
        {
            if (_state == SessionState.Ended)
            {
                return false;
            }

            MakeRoom(source);
            if (qos == QualityOfService.AtMostOnce)
            {
                DeliverOnce(ref source, retain, identifiers);
            }
            else if (_state == SessionState.Arriving)
            {
                Arrive(ref source, qos, retain, identifiers, ref record);
            }
            else
            {
                DeliverAcknowledged(ref source, qos, retain, identifiers, ref record);
            }

            return true;
        }
    }

    /// <summary>The link has room in its output buffer again.</summary>
    public void ResumeSending(IClientLink link)
    {
        lock (_gate)
        {
            if (_link == link)
            {
                _isBlocked = false;
                Pump();
            }
        }
    }

    private void DeliverOnce(ref PublishSource source, bool retain, scoped ReadOnlySpan<uint> identifiers)
    {
        if (_link is not null && !_queue.HasQos0)
        {
            var header = new DeliveryHeader { Retain = retain, SubscriptionIdentifiers = identifiers };
            switch (_link.TryPublish(source, header))
            {
                case SendStatus.Sent:
                    return;
                case SendStatus.TooLarge:
                    _env.Drops.Add(ClientId, source.Topic, DropReason.TooLarge, 1, source.Id);
                    return;
                case SendStatus.Full:
                    _env.Drops.Add(ClientId, source.Topic, DropReason.SlowConsumer, 1, source.Id);
                    return;
                case SendStatus.Closed:
                default:
                    // The session has not heard of it yet: the message is one for a client that is away.
                    break;
            }
        }

        if (!Persists || !_env.Options.QueueQos0)
        {
            _env.Drops.Add(ClientId, source.Topic, DropReason.Offline, 1, source.Id);
            return;
        }

        var message = source.Materialize();
        if (MustRefuse(message.Size))
        {
            _env.Drops.Add(ClientId, source.Topic, DropReason.QueueFull, 1, message.Id);
            return;
        }

        Enqueue(NewDelivery(message, QualityOfService.AtMostOnce, retain, identifiers, 0));
    }

    private void DeliverAcknowledged(
        ref PublishSource source, QualityOfService qos, bool retain, scoped ReadOnlySpan<uint> identifiers, ref PublishRecord? record)
    {
        var message = source.Materialize();
        if (Persists)
        {
            record ??= PublishRecord.For(ref source, _env.Store);
        }

        var delivery = NewDelivery(message, qos, retain, identifiers, record?.Number ?? 0);

        // QoS 2 to a durable session leaves only after its commit: its packet id must be known after a crash (promise 2).
        var mayGoNow = CanSend && _queue.IsEmpty && HasWindowFor(delivery)
            && !(Persists && (qos == QualityOfService.ExactlyOnce || record!.IsOvertaking));
        if (mayGoNow)
        {
            switch (TrySend(delivery, source))
            {
                case SendStatus.Sent:
                    AddInflight(delivery);
                    if (Persists)
                    {
                        record!.Add(delivery, urgent: !_acknowledgesFast);
                    }

                    return;
                case SendStatus.TooLarge:
                    _env.Drops.Add(ClientId, source.Topic, DropReason.TooLarge, 1, message.Id);
                    return;
                default:
                    break;
            }
        }

        if (MustRefuse(delivery.Size))
        {
            _env.Drops.Add(ClientId, source.Topic, DropReason.QueueFull, 1, message.Id);
            return;
        }

        if (Persists)
        {
            record!.Add(delivery, urgent: true);
        }

        Enqueue(delivery);
    }

    private bool CanSend => _link is not null && !_isBlocked;

    private Delivery NewDelivery(
        ApplicationMessage message, QualityOfService qos, bool retain, scoped ReadOnlySpan<uint> identifiers, long number) => new()
        {
            Session = this,
            Sequence = qos == QualityOfService.AtMostOnce ? 0 : ++_lastSequence,
            Qos = qos,
            Retain = retain,
            Priority = _env.Priorities.Of(message.Topic),
            Size = message.Size,
            ExpiresAt = message.ExpiresAt,
            SubscriptionIdentifiers = identifiers.IsEmpty ? [] : identifiers.ToArray(),
            MessageNumber = Persists ? number : 0,
            InDoubt = message.MayRepeat && Persists && qos == QualityOfService.ExactlyOnce ? message.Id : MessageId.None,
            Message = message,
        };

    /// <summary>
    /// Whether the client takes another PUBLISH of QoS 1 or 2 [MQTT-3.3.4-9] [MQTT-4.9.0-2]. Other packets do not ask, so nothing holds
    /// them back [MQTT-3.3.4-10] [MQTT-4.9.0-3].
    /// </summary>
    private bool HasWindowFor(Delivery delivery)
    {
        if (_inflight.Count >= _window)
        {
            return false;
        }

        if (_inflight.Count == 0 || Group is not null)
        {
            _oldestInflight = delivery.Sequence;
            return true;
        }

        if (Delivery.MayCollide(_oldestInflight, delivery.Sequence))
        {
            _oldestInflight = OldestInflight();
        }

        // One message left unacknowledged while 65,535 others were: its packet id is still in use [MQTT-2.2.1-4] and not for a new one
        // [MQTT-4.3.2-1] [MQTT-4.3.3-1].
        return !Delivery.MayCollide(_oldestInflight, delivery.Sequence);
    }

    private long OldestInflight()
    {
        var oldest = long.MaxValue;
        for (var item = _inflight.First; item is not null; item = item.Next)
        {
            oldest = Math.Min(oldest, item.Sequence);
        }

        return oldest;
    }

    private SendStatus TrySend(Delivery delivery, scoped in PublishSource source)
    {
        // DUP is 0 the first time [MQTT-4.3.2-2] [MQTT-4.3.3-2] and at QoS 0 always [MQTT-4.3.1-1]; the publisher's says nothing here
        // [MQTT-3.3.1-3].
        var header = new DeliveryHeader
        {
            Qos = delivery.Qos,
            Retain = delivery.Retain,
            Dup = delivery.WasSent && delivery.Qos != QualityOfService.AtMostOnce,
            PacketId = delivery.Qos == QualityOfService.AtMostOnce ? (ushort)0 : delivery.PacketId,
            SubscriptionIdentifiers = delivery.SubscriptionIdentifiers,
            Delivery = delivery.Qos == QualityOfService.AtMostOnce ? null : delivery,
        };
        var status = _link!.TryPublish(source, header);
        _isBlocked |= status == SendStatus.Full;
        return status;
    }

    /// <summary>Sends from the queue, then from pending replays of retained messages, as far as window and link allow.</summary>
    private void Pump()
    {
        PumpQueue();
        if (_owesRoom)
        {
            OfferRoom();
        }
    }

    private void PumpQueue()
    {
        while (CanSend && _state == SessionState.Ready)
        {
            var next = _queue.First ?? NextReplayed();
            if (next is null || !PumpOne(next))
            {
                return;
            }
        }
    }

    private bool PumpOne(Delivery next)
    {
        // What has expired before it was sent is dropped [MQTT-3.3.2-5]. What was sent once may go on (MQTT 5.0 section 3.3.2.3.3); for
        // QoS 2 it has to, its packet id is in use, and so has the rest of the exchange [MQTT-4.3.3-7] [MQTT-4.3.3-13].
        var mayExpire = !next.WasSent || next.Qos == QualityOfService.AtLeastOnce;
        if (mayExpire && next.ExpiresAt != long.MaxValue && next.ExpiresAt <= _env.Now)
        {
            Drop(next, DropReason.Expired);
            return true;
        }

        if (next.Qos != QualityOfService.AtMostOnce && !HasWindowFor(next))
        {
            return false;
        }

        if (next.Qos == QualityOfService.ExactlyOnce && MustBeCommitted(next))
        {
            return false;
        }

        if (!next.WasSent && next.RowState is RowState.Pending or RowState.Taken && next.Record is { IsOvertaking: true })
        {
            // It goes when the store's writer comes to it.
            return false;
        }

        if (next.Message is null)
        {
            LoadBodies();
            return false;
        }

        var source = new PublishSource(next.Message);
        switch (TrySend(next, source))
        {
            case SendStatus.Sent:
                _queue.Remove(next);
                NoteWatermark();
                if (next.Qos != QualityOfService.AtMostOnce)
                {
                    AddInflight(next);
                }

                return true;
            case SendStatus.TooLarge:
                // As if it had been sent and acknowledged [MQTT-3.1.2-25].
                Drop(next, DropReason.TooLarge);
                return true;
            default:
                return false;
        }
    }

    /// <summary>A group may have kept nothing when the message came.</summary>
    private bool MustBeCommitted(Delivery delivery) => IsDurable && delivery.RowState != RowState.Committed
        && !(Group is not null && delivery.RowState == RowState.None);

    private void AddInflight(Delivery delivery)
    {
        delivery.SentAt = Environment.TickCount64;
        delivery.WasSent = true;
        SentUpTo = Math.Max(SentUpTo ?? 0, delivery.Sequence);
        _inflight.Append(delivery);
    }
}
