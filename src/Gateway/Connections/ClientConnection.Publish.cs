using Broker.Gateway.Auth;
using Broker.Grains.Delayed;
using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>PUBLISH from the client (MQTT section 3.3).</summary>
internal sealed partial class ClientConnection
{
    // Of this connection only [MQTT-3.3.2-7].
    private byte[]?[]? _aliases;

    private void HandlePublish(in PacketFrame frame)
    {
        if (!PublishDecoder.TryDecode(frame, Version, out var view, out var violation))
        {
            Refuse(violation);
            return;
        }

        var topic = view.Topic;
        if (view.TopicAlias != 0 && ResolveAlias(view, ref topic) is { } misuse)
        {
            Refuse(misuse);
            return;
        }

        if (!_services.Rules.IsTopicAllowed(topic))
        {
            Refuse(Violations.TopicTooLong);
            return;
        }

        _services.Rules.Count(view.Qos);
        var admission = Admit(view, ref topic, out var publishAt);
        if (admission == PublishAdmission.AtOnce)
        {
            var source = new PublishSource(
                view, topic, view.HasMessageExpiry ? Now : 0, ClientId, _number, _services.Ids) { PublishAt = publishAt };
            Publish(ref source, view.PacketId);
            return;
        }

        if (view.Qos == QualityOfService.ExactlyOnce && _session!.IsDuplicate(_epoch, view.PacketId, out var earlier, isNew: !view.Dup))
        {
            // It was allowed and has been routed; a right that was taken away since, or a hook, changes nothing about that.
            AcknowledgeAgain(view.PacketId, earlier);
            return;
        }

        switch (admission)
        {
            case PublishAdmission.NoUtf8:
                RefusePayload(topic, view.Qos, view.PacketId);
                break;
            case PublishAdmission.NoDelay:
                RefuseDelay(topic, view.Qos, view.PacketId);
                break;
            case PublishAdmission.NotAllowed:
                RefusePublish(topic, view.Qos, view.PacketId);
                break;
            case PublishAdmission.AfterRights:
                _pending = PublishWhenAllowedAsync(Materialize(view, topic, publishAt), view.PacketId);
                break;
            case PublishAdmission.AfterHooks:
            default:
                _pending = PublishThroughHooksAsync(Materialize(view, topic, publishAt), view.PacketId);
                break;
        }
    }

    /// <summary>What is known of a PUBLISH without asking anybody who may take time.</summary>
    /// <param name="topic">In: as it was sent. Out: the topic that the message is for.</param>
    private PublishAdmission Admit(in PublishView view, ref ReadOnlySpan<byte> topic, out long publishAt)
    {
        publishAt = 0;
        if (!_services.Rules.IsPayloadAllowed(view.PayloadIsUtf8, view.Payload))
        {
            return PublishAdmission.NoUtf8;
        }

        if (topic[0] == (byte)'$' && !DelayedTopic.TryTake(ref topic, _services.Time, out publishAt))
        {
            return PublishAdmission.NoDelay;
        }

        if (!_services.Access.TryAuthorize(_identity!, AccessKind.Publish, topic, view.Qos, view.Retain, out var allowed))
        {
            return PublishAdmission.AfterRights;
        }

        return !allowed ? PublishAdmission.NotAllowed
            : _services.Events.IntervenesInPublish ? PublishAdmission.AfterHooks : PublishAdmission.AtOnce;
    }

    /// <summary>A well-formed Topic Name that this broker does not accept: QoS 0 has no other answer than DISCONNECT.</summary>
    private void RefuseDelay(ReadOnlySpan<byte> topic, QualityOfService qos, ushort packetId)
    {
        _services.Drops.Add(ClientId, topic, DropReason.DelayRefused);
        if (qos == QualityOfService.AtMostOnce)
        {
            Refuse(Violations.DelayedTopic);
        }
        else
        {
            TellRefusal(qos, packetId, ReasonCode.TopicNameInvalid);
        }
    }

    /// <summary>A publish that another silo has no room for, or that has to wait for the sessions of a dead one.</summary>
    private async Task PublishAfterAsync(Task wait, ApplicationMessage message, ushort packetId, bool isNew)
    {
        await wait.WaitAsync(_context.ConnectionClosed);
        if (_isClosing)
        {
            return;
        }

        using var batch = FlushBatch.Open();
        var source = new PublishSource(message) { IsNew = isNew };
        Publish(ref source, packetId);
    }

    private long Now => _services.Time.GetUtcNow().ToUnixTimeMilliseconds();

    // What is wrong with the alias, or nothing.
    private ProtocolViolation? ResolveAlias(in PublishView view, ref ReadOnlySpan<byte> topic)
    {
        if (view.TopicAlias > _services.Limits.TopicAliasMaximum)
        {
            return Violations.TopicAlias;
        }

        // Every one up to the maximum is accepted [MQTT-3.3.2-12].
        _aliases ??= new byte[_services.Limits.TopicAliasMaximum + 1][];
        if (!topic.IsEmpty)
        {
            _aliases[view.TopicAlias] = topic.ToArray();
            return null;
        }

        topic = _aliases[view.TopicAlias];
        return topic.IsEmpty ? Violations.TopicAliasUnset : null;
    }

    private ApplicationMessage Materialize(in PublishView view, ReadOnlySpan<byte> topic, long publishAt) =>
        new PublishSource(view, topic, Now, ClientId, _number, _services.Ids) { PublishAt = publishAt }.Materialize();

    private async Task PublishWhenAllowedAsync(ApplicationMessage message, ushort packetId)
    {
        var topic = message.Bytes[..message.TopicLength];
        var allowed = await _services.Access.AuthorizeAsync(
            _identity!, AccessKind.Publish, topic, message.Qos, message.Retain, _context.ConnectionClosed);
        if (_isClosing)
        {
            // Another connection may act for the client by now; it repeats what was not acknowledged.
            return;
        }

        if (allowed && _services.Events.IntervenesInPublish)
        {
            await PublishThroughHooksAsync(message, packetId);
            return;
        }

        using var batch = FlushBatch.Open();
        if (allowed)
        {
            var source = new PublishSource(message);
            Publish(ref source, packetId);
        }
        else
        {
            RefusePublish(topic.Span, message.Qos, packetId);
        }
    }

    private void RefusePublish(ReadOnlySpan<byte> topic, QualityOfService qos, ushort packetId)
    {
        _services.Drops.Add(ClientId, topic, DropReason.NotAuthorized);
        TellRefusal(qos, packetId, ReasonCode.NotAuthorized);
    }

    private void TellRefusal(QualityOfService qos, ushort packetId, ReasonCode reason)
    {
        if (Version != ProtocolVersion.Mqtt5 && qos != QualityOfService.AtMostOnce)
        {
            // 3.x has no negative acknowledgement: the connection ends [MQTT-3.3.5-2] of 3.1.1.
            Close(reason);
        }
        else if (qos != QualityOfService.AtMostOnce)
        {
            _acknowledgements.Add(ResponseTo(qos), packetId, reason);
        }
    }

    /// <summary>A payload that is not what its Payload Format Indicator says: QoS 0 has no other answer than DISCONNECT.</summary>
    private void RefusePayload(ReadOnlySpan<byte> topic, QualityOfService qos, ushort packetId)
    {
        _services.Drops.Add(ClientId, topic, DropReason.PayloadFormat);
        if (qos == QualityOfService.AtMostOnce)
        {
            Refuse(Violations.PayloadFormat);
        }
        else
        {
            _acknowledgements.Add(ResponseTo(qos), packetId, ReasonCode.PayloadFormatInvalid);
        }
    }

    /// <summary>What answers a PUBLISH [MQTT-3.3.4-1]: PUBACK for QoS 1 [MQTT-4.3.2-4], PUBREC for QoS 2 [MQTT-4.3.3-8].</summary>
    private static PacketType ResponseTo(QualityOfService qos) =>
        qos == QualityOfService.AtLeastOnce ? PacketType.PubAck : PacketType.PubRec;

    private void Publish(ref PublishSource source, ushort packetId)
    {
        if (_services.Gate is not { } gate)
        {
            Deliver(ref source, packetId);
            return;
        }

        var phase = gate.Enter();
        try
        {
            if (source.PublishAt == 0 && _services.Remote!.MustWait(source.Topic, source.Qos, out var wait))
            {
                _pending = PublishAfterAsync(wait, source.Materialize(), packetId, source.IsNew);
                return;
            }

            Deliver(ref source, packetId);
        }
        finally
        {
            gate.Exit(phase);
        }
    }

    private void Deliver(ref PublishSource source, ushort packetId)
    {
        PublishRecord? record = null;
        source.Order = _records;
        switch (source.Qos)
        {
            case QualityOfService.AtMostOnce:
                NoteAccepted(ref source, packetId);
                _services.Router.Route(ref source, _session, ref record);
                if (record is not null)
                {
                    record.Seal();
                    _records.Dispatch(record, _services.Grace);
                }

                break;
            case QualityOfService.AtLeastOnce:
                // No packet id is remembered: what comes with it next is another message, whatever DUP says [MQTT-4.3.2-5].
                if (!CheckReceiveMaximum())
                {
                    return;
                }

                NoteAccepted(ref source, packetId);
                Route(ref source, packetId, record);
                break;
            case QualityOfService.ExactlyOnce:
            default:
                PublishOnce(ref source, packetId);
                break;
        }

        if (_services.Store.IsCongested && (source.Qos != QualityOfService.AtMostOnce || source.Retain || source.PublishAt != 0))
        {
            // What asks nothing of the store does not wait for it.
            var drained = _services.Store.WaitUntilDrainedAsync(_context.ConnectionClosed).AsTask();
            _pending = _pending is { } pending ? Task.WhenAll(pending, drained) : drained;
        }
    }

    private void PublishOnce(ref PublishSource source, ushort packetId)
    {
        switch (_session!.BeginInbound(_epoch, packetId, out var earlier, out var inDoubt, source.IsNew))
        {
            case InboundStatus.Superseded:
                Close(ReasonCode.SessionTakenOver);
                return;
            case InboundStatus.TooMany:
                Refuse(Violations.TooManyUnreleased);
                return;
            case InboundStatus.Duplicate:
                AcknowledgeAgain(packetId, earlier);
                return;
            case InboundStatus.Repeat:
                PublishAgain(source.Materialize().As(inDoubt), packetId);
                return;
            case InboundStatus.New:
            default:
                break;
        }

        if (!CheckReceiveMaximum())
        {
            // Not routed: when the client sends it again on its next connection, it is not a duplicate.
            _session.CancelInbound(_epoch, packetId);
            return;
        }

        PublishRecord? record = null;
        if (_session.IsDurable)
        {
            record = _services.Router.NewRecord(ref source);
            record.RememberInbound(_session, packetId);
            if (!_session.SetInboundRecord(_epoch, packetId, record))
            {
                Close(ReasonCode.SessionTakenOver);
                return;
            }
        }

        NoteAccepted(ref source, packetId);
        Route(ref source, packetId, record);
    }

    private void PublishAgain(ApplicationMessage message, ushort packetId)
    {
        var source = new PublishSource(message) { Order = _records };
        var record = _services.Router.NewRecord(ref source);
        if (!_session!.SetInboundRecord(_epoch, packetId, record))
        {
            Close(ReasonCode.SessionTakenOver);
            return;
        }

        NoteAccepted(ref source, packetId);
        _pending = PublishRepeatedAsync(message, packetId, record);
    }

    private void NoteAccepted(ref PublishSource source, ushort packetId) =>
        _services.Rules.NoteAccepted(ClientId, packetId, ref source, _identity!.Address);

    /// <summary>Routed before; only the acknowledgement is repeated, and only when it may be [MQTT-4.3.3-10].</summary>
    private void AcknowledgeAgain(ushort packetId, PublishRecord? earlier)
    {
        if (!CheckReceiveMaximum())
        {
            return;
        }

        var waiter = _acknowledgements.AddWaiting(PacketType.PubRec, packetId, ReasonCode.Success);
        if (earlier is null)
        {
            waiter.Published(ReasonCode.Success);
        }
        else
        {
            earlier.Wait(waiter);
        }
    }

    /// <summary>The client sends again what a silo took that did not come to tell it (promise 2).</summary>
    private async Task PublishRepeatedAsync(ApplicationMessage message, ushort packetId, PublishRecord record)
    {
        record.Wait(_acknowledgements.AddWaiting(PacketType.PubRec, packetId, ReasonCode.Success));
        try
        {
            await _services.Repeats!.RouteAsync(message, record, _context.ConnectionClosed);
            record.Seal();
        }
        catch
        {
            // It stays in doubt, for the client's next attempt.
            _session!.ForgetInboundRecord(packetId, record);
            throw;
        }
    }

    private void Route(ref PublishSource source, ushort packetId, PublishRecord? record)
    {
        var receivers = _services.Router.Route(ref source, _session, ref record);
        var reason = receivers == 0 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success;
        var response = ResponseTo(source.Qos);
        if (record is null)
        {
            _acknowledgements.Add(response, packetId, reason);
            return;
        }

        record.Wait(_acknowledgements.AddWaiting(response, packetId, reason));
        record.Seal();
        _records.Dispatch(record, _services.Grace);
    }

    /// <summary>
    /// What an MQTT 5.0 client is told: it counts QoS 1 and QoS 2 together, so the smaller of the two limits holds.
    /// </summary>
    private int ReceiveMaximum => Math.Min(_services.Limits.ReceiveMaximum, _services.SessionOptions.MaxAwaitingRel);

    /// <summary>Receive Maximum: MQTT 5.0 clients must keep to it [MQTT-3.3.4-7], 3.x clients are not read until there is room.</summary>
    private bool CheckReceiveMaximum()
    {
        var limit = Version == ProtocolVersion.Mqtt5 ? ReceiveMaximum : _services.Limits.ReceiveMaximum;
        var waiting = _acknowledgements.Count;
        if (waiting < limit)
        {
            return true;
        }

        if (Version == ProtocolVersion.Mqtt5)
        {
            Refuse(Violations.ReceiveMaximum);
            return false;
        }

        _pending = _acknowledgements.WaitBelowAsync(limit);
        return true;
    }
}
