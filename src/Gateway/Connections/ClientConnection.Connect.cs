using System.Buffers;
using System.Text;
using Broker.Gateway.Auth;
using Broker.Gateway.Sys;
using Broker.Grains.Delayed;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>CONNECT: the first packet, who it is from, and the session it gets (MQTT section 3.1).</summary>
internal sealed partial class ClientConnection
{
    private uint _clientMaximumPacketSize = uint.MaxValue;
    private bool _wantsProblemInformation = true;

    // CONNACK 0x00 has been sent: only then may DISCONNECT be [MQTT-3.14.0-1].
    private volatile bool _isAccepted;

    // CONNECT has come and could be read: CONNACK is owed, and given once [MQTT-3.2.0-2], whoever is first to give it.
    private volatile bool _hasConnect;
    private int _isAnswered;

    // Its session is being looked for, which takes as long as it takes and ends with an answer.
    private volatile bool _isClaiming;

    // Whoever is told that the client is here is told when it is gone.
    private bool _isAnnounced;

    private void HandleFirst(in PacketFrame frame)
    {
        if (_exchange is not null)
        {
            HandleWhileAuthenticating(frame);
            return;
        }

        if (frame.Type != PacketType.Connect)
        {
            // The first packet must be CONNECT [MQTT-3.1.0-1]; whoever sends another one does not expect an answer.
            Refuse(Violations.FirstPacketNotConnect);
            return;
        }

        if (!ConnectPacket.TryDecode(frame, out var packet, out var violation))
        {
            RefuseConnect(frame, violation);
            return;
        }

        KeepTo(packet);
        _records.EndsWithRefusal = Version != ProtocolVersion.Mqtt5;
        _hasConnect = true;
        Interlocked.MemoryBarrier();
        if (_isSentAway)
        {
            RefuseSentAway();
            return;
        }

        _pending = ConnectAsync(packet);
    }

    /// <summary>How the client reads what it is sent, and how much of it it takes.</summary>
    private void KeepTo(ConnectPacket packet)
    {
        Version = packet.Version;
        _clientMaximumPacketSize = packet.MaximumPacketSize ?? uint.MaxValue;
        _wantsProblemInformation = packet.RequestProblemInformation;
    }

    /// <summary>Answers a CONNECT that waits for its answer while the client is sent away.</summary>
    private void RefuseSentAway()
    {
        if (_hasConnect && _goodbye is { } goodbye && TryAnswer())
        {
            var reason = ReasonCodes.IsAllowed(goodbye.Reason, PacketType.ConnAck) ? goodbye.Reason : ReasonCode.ServerUnavailable;
            Send(new ConnAckPacket { Reason = reason, ServerReference = goodbye.ServerReference, ReasonString = ReasonTexts.Of(reason) });
        }
    }

    private bool TryAnswer() => Interlocked.Exchange(ref _isAnswered, 1) == 0;

    /// <summary>
    /// CONNECT is not as it has to be: the connection ends [MQTT-3.1.4-1]. As soon as the packet has said that it is one of 5.0, its
    /// client can be told why (MQTT 5.0 section 4.13).
    /// </summary>
    /// <param name="frame">The packet, or the beginning of one that is too large.</param>
    private void RefuseConnect(in PacketFrame frame, ProtocolViolation violation)
    {
        if (violation.Reason == ReasonCode.UnsupportedProtocolVersion)
        {
            // Answered in the form of 3.1.1, which every client understands [MQTT-3.1.2-2].
            SendConnAckRefusal(violation.Reason, violation.Description);
        }
        else if (ConnectPacket.ReadBeginning(frame) is { } beginning)
        {
            KeepTo(beginning);
        }

        Refuse(violation);
    }

    /// <summary>A packet beyond the maximum: nothing more of it is waited for, also when it is a CONNECT.</summary>
    private void RefuseTooLarge(in PacketFrame beginning)
    {
        if (_session is null && _exchange is null && beginning.Type == PacketType.Connect)
        {
            RefuseConnect(beginning, Violations.PacketTooLarge);
        }
        else
        {
            Refuse(Violations.PacketTooLarge);
        }
    }

    private async Task ConnectAsync(ConnectPacket packet)
    {
        var isNamed = TryName(packet, out var clientId);
        _connectName = clientId;
        if (!isNamed)
        {
            RefuseClient(ReasonCode.ClientIdentifierNotValid);
            return;
        }

        var request = new AuthenticationRequest(clientId, packet.UserName, packet.Password, Address, packet.Version);
        if (packet.AuthenticationMethod is { } method)
        {
            await BeginAuthenticationAsync(packet, request, method);
            return;
        }

        var result = await _services.Authentication.AuthenticateAsync(request, _context.ConnectionClosed);
        if (result.IsAllowed)
        {
            await AdmitAsync(packet, clientId, result.UserName, null);
        }
        else
        {
            RefuseClient(result.Reason);
        }
    }

    /// <summary>The client is who it says: its Will is looked at, and it gets its session.</summary>
    /// <param name="authenticationData">What the Authentication Method has to say in CONNACK.</param>
    private async Task AdmitAsync(ConnectPacket packet, string clientId, string? userName, byte[]? authenticationData)
    {
        _identity = new ClientIdentity(clientId, userName, Address);
        if (packet.Will is not null && await CheckWillAsync(packet.Will) is { } refused)
        {
            RefuseClient(refused);
            return;
        }

        var will = packet.Will is null ? null : ToClaim(packet.Will);
        if (will is not null && _services.Hooks.HasPublish)
        {
            var (asked, reason) = await AskAboutWillAsync(will);
            if (asked is null && reason != ReasonCode.Success)
            {
                RefuseClient(ReasonCodes.IsAllowed(reason, PacketType.ConnAck) ? reason : ReasonCode.NotAuthorized);
                return;
            }

            will = asked;
        }

        var claim = new SessionClaim
        {
            CleanStart = packet.CleanStart,
            ExpiryInterval = GrantedExpiry(packet),
            Version = packet.Version,
            Will = will,
            Silo = _services.IsCluster ? _services.Silos.Local : null,
        };
        if (await TakeTurnAsync())
        {
            await ClaimAsync(packet, claim, authenticationData);
        }
    }

    /// <summary>False when the client does not get its session: it is answered then, or gone.</summary>
    private async ValueTask<bool> TakeTurnAsync()
    {
        _isClaiming = true;
        try
        {
            if (!await _services.Turns.TakeAsync(_context.ConnectionClosed))
            {
                RefuseClient(ReasonCode.ServerBusy);
                return false;
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        if (_isClosing)
        {
            // Gone or sent away meanwhile: no session is taken from where it is.
            _services.Turns.GiveBack();
            return false;
        }

        return true;
    }

    private async Task ClaimAsync(ConnectPacket packet, SessionClaim claim, byte[]? authenticationData)
    {
        SessionGrant grant;
        Session? session;
        try
        {
            (session, grant) = await _services.Turns.UseAsync(
                SessionClaims.ClaimAsync(_services, ClientId, claim, () => _isClosing, _context.ConnectionClosed));
        }
        catch (OperationCanceledException) when (_isClosing || _context.ConnectionClosed.IsCancellationRequested)
        {
            return;
        }
        catch (Exception error)
        {
            Log.SessionRefused(_services.Logger, ClientId, error);
            RefuseClient(ReasonCode.ServerUnavailable);
            return;
        }

        _epoch = grant.Epoch;
        _session = session;
        _keepAlive = GrantedKeepAlive(packet);
        _outboundAliases = NewAliases(packet);
        if (!TryAnswer())
        {
            // Sent away meanwhile.
            NeverWas();
            return;
        }

        using (FlushBatch.Open())
        {
            // Nothing may come before CONNACK [MQTT-3.2.0-1]: who cannot take it never was connected to its session.
            if (SendConnAck(packet, grant.SessionPresent, authenticationData))
            {
                Begin(packet, grant);
                SayGoodbye();
            }
            else
            {
                NeverWas();
            }
        }

        _services.Wheel.Reschedule(this);
        if (_isAnnounced && !_services.AutoSubscriptions.IsEmpty)
        {
            await AutoSubscribeAsync();
        }
    }

    /// <summary>The client has its CONNACK: the session sends what it has for it, and others hear that it is here.</summary>
    private void Begin(ConnectPacket packet, SessionGrant grant)
    {
        if (_session is null || !_session.Attach(this, grant.Epoch, packet.ReceiveMaximum))
        {
            // Another CONNECT has taken the session meanwhile.
            Close(ReasonCode.SessionTakenOver);
            return;
        }

        _isAnnounced = true;
        _services.Presence.Connected(_identity!, packet, grant.SessionPresent);
        _services.Events.Connected(_identity!, packet, grant.SessionPresent);
    }

    /// <summary>
    /// The session ends or waits as if this connection had never been: at once, so that a connection that comes now finds no Will of one
    /// that was not accepted.
    /// </summary>
    private void NeverWas()
    {
        if (_session is { } session)
        {
            _session = null;
            _services.Lifecycle.ConnectionEnded(session, _epoch, EndCause.Disconnect, newExpiryInterval: null);
        }
    }

    /// <summary>The client was sent away while it was being told that it is accepted. Twice does no harm: nothing follows a DISCONNECT.</summary>
    private void SayGoodbye()
    {
        Interlocked.MemoryBarrier();
        if (_isClosing && _goodbye is { } goodbye && _isAccepted && Version == ProtocolVersion.Mqtt5)
        {
            SendDisconnect(goodbye);
        }
    }

    /// <summary>
    /// The client's own name, or one that nobody has [MQTT-3.1.3-6] [MQTT-3.2.2-16], which is as good as its own and told in CONNACK
    /// [MQTT-3.1.3-7]. False when there is none that may be used: the client is refused [MQTT-3.1.3-8].
    /// </summary>
    private bool TryName(ConnectPacket packet, out string clientId)
    {
        clientId = packet.ClientId;
        if (clientId.Length > 0)
        {
            return ClientName.IsAllowed(clientId, _services.Limits.MaxClientIdLength);
        }

        clientId = $"auto-{Guid.NewGuid():N}";

        // [MQTT-3.1.3-8] of 3.1.1: without an id there is nothing to keep a session by. MQTT 3.1 asks for one in any case.
        return packet.Version == ProtocolVersion.Mqtt5 || (packet.CleanStart && packet.Version == ProtocolVersion.Mqtt311);
    }

    private async ValueTask<ReasonCode?> CheckWillAsync(WillMessage will)
    {
        if (!_services.Rules.IsPayloadAllowed(will.PayloadIsUtf8, new ReadOnlySequence<byte>(will.Payload)))
        {
            return ReasonCode.PayloadFormatInvalid;
        }

        var topic = Encoding.UTF8.GetBytes(will.Topic);
        if (!_services.Rules.IsTopicAllowed(topic) || DelayedTopic.IsDelayed(topic))
        {
            // The limits are those of a PUBLISH; a Will has a delay of its own.
            return ReasonCode.TopicNameInvalid;
        }

        return await MayPublishWillAsync(will, topic) ? null : ReasonCode.NotAuthorized;
    }

    private ValueTask<bool> MayPublishWillAsync(WillMessage will, byte[] topic) =>
        _services.Access.TryAuthorize(_identity!, AccessKind.Publish, topic, will.Qos, will.Retain, out var allowed)
            ? ValueTask.FromResult(allowed)
            : _services.Access.AuthorizeAsync(
                _identity!, AccessKind.Publish, topic, will.Qos, will.Retain, _context.ConnectionClosed);

    /// <summary>
    /// CONNACK with the reason and with Session Present 0 [MQTT-3.2.2-6], then the end [MQTT-3.1.4-2] [MQTT-3.2.2-7] [MQTT-4.13.2-1]: no
    /// packet is looked at any more [MQTT-3.1.4-6].
    /// </summary>
    private void RefuseClient(ReasonCode reason)
    {
        if (_isClosing)
        {
            // Gone, or sent away with an answer of its own.
            return;
        }

        Log.ClientRefused(_services.Logger, ClientId, Address, reason);
        SendConnAckRefusal(reason, ReasonTexts.Of(reason));
        Close(reason);
    }

    private static WillClaim ToClaim(WillMessage will)
    {
        var topic = Encoding.UTF8.GetBytes(will.Topic);
        return new WillClaim
        {
            Bytes = [.. topic, .. will.Properties, .. will.Payload],
            TopicLength = topic.Length,
            PropertiesLength = will.Properties.Length,
            Qos = will.Qos,
            Retain = will.Retain,
            MessageExpiryInterval = will.MessageExpiryInterval,
            DelayInterval = will.DelayInterval,
        };
    }

    /// <summary>Session Expiry Interval in seconds: Clean Session 0 of 3.x has the configured one.</summary>
    private uint GrantedExpiry(ConnectPacket packet) =>
        packet.Version == ProtocolVersion.Mqtt5 ? LimitExpiry(packet.SessionExpiryInterval)
        : packet.CleanStart ? 0
        : Seconds(_services.SessionOptions.SessionExpiry);

    private uint LimitExpiry(uint requested) => Math.Min(requested, Seconds(_services.SessionOptions.MaxSessionExpiry));

    private static uint Seconds(TimeSpan time) => time.TotalSeconds >= uint.MaxValue ? uint.MaxValue : (uint)time.TotalSeconds;

    /// <summary>The client's own Keep Alive [MQTT-3.2.2-22], or the longest there is, which CONNACK tells.</summary>
    private ushort GrantedKeepAlive(ConnectPacket packet)
    {
        var maximum = (ushort)_services.Limits.MaxKeepAlive.TotalSeconds;
        var isLimited = packet.Version == ProtocolVersion.Mqtt5 && maximum > 0;
        return isLimited && (packet.KeepAlive == 0 || packet.KeepAlive > maximum) ? maximum : packet.KeepAlive;
    }

    /// <summary>
    /// CONNACK 0x00 [MQTT-3.1.4-5]. Response Information is for who asks for it [MQTT-3.1.2-28]. False when it is more than the client
    /// takes [MQTT-3.1.2-24]: the connection is closing then.
    /// </summary>
    private bool SendConnAck(ConnectPacket packet, bool sessionPresent, byte[]? authenticationData)
    {
        var granted = _session?.ExpiryInterval ?? 0;
        return _isAccepted = Send(new ConnAckPacket
        {
            SessionPresent = sessionPresent,
            Reason = ReasonCode.Success,
            SessionExpiryInterval = granted != packet.SessionExpiryInterval ? granted : null,
            ReceiveMaximum = (ushort)ReceiveMaximum,
            MaximumPacketSize = (uint)_services.Limits.MaxPacketSize,
            AssignedClientIdentifier = packet.ClientId.Length == 0 ? ClientId : null,
            TopicAliasMaximum = (ushort)_services.Limits.TopicAliasMaximum,
            ServerKeepAlive = _keepAlive != packet.KeepAlive ? _keepAlive : null,
            ResponseInformation = packet.RequestResponseInformation ? ResponseInformation() : null,
            AuthenticationMethod = packet.AuthenticationMethod,
            AuthenticationData = authenticationData,
        });
    }

    /// <summary>The configured text with the Client Identifier in it, as one level without wildcards; null for none.</summary>
    private string? ResponseInformation() => _services.Mqtt.ResponseInformation is { Length: > 0 } text
        ? text.Replace("${clientid}", SysTopics.LevelOf(ClientId), StringComparison.Ordinal)
        : null;
}
