using System.Text;
using Broker.Gateway.Auth;
using Broker.Grains.Retained;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>SUBSCRIBE and UNSUBSCRIBE (MQTT sections 3.8 to 3.11).</summary>
internal sealed partial class ClientConnection
{
    private void HandleSubscribe(in PacketFrame frame)
    {
        if (!SubscribePacket.TryDecode(frame, Version, out var packet, out var violation))
        {
            Refuse(violation);
            return;
        }

        var work = SubscribeAsync(packet);
        _pending = work.IsCompletedSuccessfully ? null : work;
    }

    /// <summary>One filter after the other, as if each had come alone, with one answer to all [MQTT-3.8.4-5].</summary>
    private async Task SubscribeAsync(SubscribePacket packet)
    {
        var reasons = new ReasonCode[packet.Requests.Count];
        var replays = new List<RetainedReplay>();
        var granted = new List<SubscriptionBackup>();
        for (var i = 0; i < reasons.Length; i++)
        {
            var verdict = await AskAboutAsync(packet.Requests[i]);
            if (verdict.Request is not { } request)
            {
                reasons[i] = ForVersion(verdict.Reason);
                continue;
            }

            reasons[i] = await AllowAsync(request);
            if (!_isClosing && reasons[i] < ReasonCode.UnspecifiedError && ExclusiveFilter.IsExclusive(request.Filter))
            {
                reasons[i] = await ClaimAsync(request.Filter, reasons[i]);
            }

            if (_isClosing)
            {
                // Somebody else may act for the session by now; what was granted before is saved, and nobody is told.
                GiveBackUnlessHeld(request.Filter);
                break;
            }

            if (reasons[i] < ReasonCode.UnspecifiedError)
            {
                Begin(request, packet.SubscriptionIdentifier, granted, replays);
            }
        }

        if (_session!.IsDurable && granted.Count > 0 && await SaveAsync(granted) is { } refused)
        {
            // Not durable, so not granted: what was there before is back before the client is told.
            SubscriptionStart.PutBack(_services, _session, _epoch, granted);
            granted.Clear();
            replays.Clear();
            for (var i = 0; i < reasons.Length; i++)
            {
                reasons[i] = reasons[i] < ReasonCode.UnspecifiedError ? ForVersion(refused) : reasons[i];
            }
        }

        if (_services.IsCluster)
        {
            await SubscriptionStart.RoutableAsync(_services, granted, _context.ConnectionClosed);
        }

        _services.Events.Subscribed(ClientId, granted, _session);
        using var batch = FlushBatch.Open();

        // With the Packet Identifier of SUBSCRIBE and for each filter its granted QoS, or why it has failed
        // [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-7] [MQTT-2.2.1-6].
        Send(new SubAckPacket { PacketId = packet.PacketId, Reasons = reasons });
        if (replays.Count > 0)
        {
            _session.BeginReplays();
        }
    }

    private void Begin(in SubscriptionRequest request, uint identifier, List<SubscriptionBackup> granted, List<RetainedReplay> replays)
    {
        var before = _session!.Backup(request.Filter);
        if (SubscriptionStart.Begin(_services, _session, _epoch, request, identifier, replays))
        {
            granted.Add(before);
        }
        else
        {
            // Somebody else acts for the session: the rest of the packet is left.
            Close(ReasonCode.SessionTakenOver);
        }

        GiveBackUnlessHeld(request.Filter);
    }

    /// <summary>Subscribes the client to what every client gets, before its next packet is read. Rights are not looked at: the operator has said so.</summary>
    private async Task AutoSubscribeAsync()
    {
        var replays = new List<RetainedReplay>();
        var changed = new List<SubscriptionBackup>();
        foreach (var request in _services.AutoSubscriptions.Of(_identity!))
        {
            var before = _session!.Backup(request.Filter);
            if (before.Options is null && SubscriptionStart.Begin(_services, _session, _epoch, request, identifier: 0, replays))
            {
                changed.Add(before);
            }
        }

        if (changed.Count == 0)
        {
            return;
        }

        if (_session!.IsDurable && await SaveAsync(changed) is { } refused)
        {
            // It is not what the operator wants it to be; the client comes again.
            SubscriptionStart.PutBack(_services, _session, _epoch, changed);
            Close(refused);
            return;
        }

        if (_services.IsCluster)
        {
            await SubscriptionStart.RoutableAsync(_services, changed, _context.ConnectionClosed);
        }

        using var batch = FlushBatch.Open();
        if (replays.Count > 0)
        {
            _session.BeginReplays();
        }
    }

    private async Task<ReasonCode?> SaveAsync(List<SubscriptionBackup> changed)
    {
        try
        {
            await _session!.SaveSubscriptionsAsync(changed.ConvertAll(static c => c.Filter));
            return null;
        }
        catch (Exception error)
        {
            Log.SubscriptionsNotSaved(_services.Logger, ClientId, error);
            return StoreErrors.ReasonFor(error);
        }
    }

    private ValueTask<ReasonCode> AllowAsync(in SubscriptionRequest request)
    {
        var topicFilter = request.Filter;
        if ((SharedFilter.IsShared(request.Filter) && !SharedFilter.TryParse(request.Filter, out topicFilter))
            || (ExclusiveFilter.IsExclusive(request.Filter) && !ExclusiveFilter.TryParse(request.Filter, out topicFilter)))
        {
            // [MQTT-4.8.2-1], [MQTT-4.8.2-2]
            return ValueTask.FromResult(ForVersion(ReasonCode.TopicFilterInvalid));
        }

        // What the filter of a group, or an exclusive one, lets through is what the client may read.
        var filter = Encoding.UTF8.GetBytes(topicFilter);
        if (!TopicRules.IsWithinLimits(filter, _services.Limits.MaxTopicLength, _services.Limits.MaxTopicLevels))
        {
            return ValueTask.FromResult(ForVersion(ReasonCode.TopicFilterInvalid));
        }

        // One that the client has is changed and makes no more of them [MQTT-3.8.4-3].
        if (_services.Limits.MaxSubscriptionsPerClient is > 0 and var limit && _session!.SubscriptionCount >= limit
            && !_session.IsSubscribedTo(request.Filter))
        {
            return ValueTask.FromResult(ForVersion(ReasonCode.QuotaExceeded));
        }

        var qos = request.MaximumQos;
        if (_services.Access.TryAuthorize(_identity!, AccessKind.Subscribe, filter, qos, false, out var allowed))
        {
            return ValueTask.FromResult(allowed ? (ReasonCode)qos : ForVersion(ReasonCode.NotAuthorized));
        }

        return AskAsync(filter, qos);
    }

    private async ValueTask<ReasonCode> AskAsync(byte[] filter, QualityOfService qos) =>
        await _services.Access.AuthorizeAsync(
            _identity!, AccessKind.Subscribe, filter, qos, false, _context.ConnectionClosed)
            ? (ReasonCode)qos
            : ForVersion(ReasonCode.NotAuthorized);

    /// <summary>SUBACK of 3.x knows one failure only, 0x80 [MQTT-3.9.3-2] of 3.1.1.</summary>
    private ReasonCode ForVersion(ReasonCode reason) =>
        Version == ProtocolVersion.Mqtt5 ? reason : ReasonCode.UnspecifiedError;

    private void HandleUnsubscribe(in PacketFrame frame)
    {
        if (!UnsubscribePacket.TryDecode(frame, Version, out var packet, out var violation))
        {
            Refuse(violation);
            return;
        }

        var work = UnsubscribeAsync(packet);
        _pending = work.IsCompletedSuccessfully ? null : work;
    }

    /// <summary>One filter after the other, as if each had come alone, with one answer to all [MQTT-3.10.4-6].</summary>
    private async Task UnsubscribeAsync(UnsubscribePacket packet)
    {
        // Hooks first: one that waits would leave the packet half done when the connection ends meanwhile.
        var filters = new string?[packet.Filters.Count];
        for (var i = 0; i < filters.Length; i++)
        {
            filters[i] = await AskAboutEndAsync(packet.Filters[i]);
        }

        if (_isClosing)
        {
            // Somebody else may act for the session by now.
            return;
        }

        var reasons = new ReasonCode[filters.Length];
        var removed = new List<SubscriptionBackup>();
        for (var i = 0; i < reasons.Length; i++)
        {
            if (filters[i] is not { } filter)
            {
                reasons[i] = ReasonCode.ImplementationSpecificError;
                continue;
            }

            removed.Add(_session!.Backup(filter));
            reasons[i] = _session!.BeginUnsubscribe(filter, _epoch) ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted;
        }

        if (await EndSubscriptionsAsync(removed) is { } refused)
        {
            SubscriptionStart.PutBack(_services, _session!, _epoch, removed);
            if (Version != ProtocolVersion.Mqtt5)
            {
                // UNSUBACK of 3.x has no failure: it must not be sent.
                Close(refused);
                return;
            }

            // UNSUBACK has no Quota exceeded.
            Array.Fill(
                reasons, ReasonCodes.IsAllowed(refused, PacketType.UnsubAck) ? refused : ReasonCode.ImplementationSpecificError);
        }
        else
        {
            SubscriptionStart.EndLeftGroups(_services, _session!, removed);
        }

        for (var i = 0; i < reasons.Length; i++)
        {
            if (filters[i] is { } filter)
            {
                _services.Events.Unsubscribed(ClientId, filter, reasons[i]);
            }
        }

        // With the Packet Identifier of UNSUBSCRIBE, also where there was nothing to remove [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-2.2.1-6].
        Send(new UnsubAckPacket { PacketId = packet.PacketId, Reasons = reasons });
    }

    /// <summary>Makes the end of subscriptions durable, and then effective. Null when that is done, else why the store has refused it.</summary>
    private async Task<ReasonCode?> EndSubscriptionsAsync(List<SubscriptionBackup> removed)
    {
        if (_session!.IsDurable && await SaveAsync(removed) is { } refused)
        {
            return refused;
        }

        // What another connection, that has taken over, has subscribed to again meanwhile stays the client's.
        return await ReleaseAsync(removed.FindAll(r => _session.EndUnsubscribe(r.Filter, _epoch)));
    }
}
