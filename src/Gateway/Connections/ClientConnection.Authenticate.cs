using Broker.Gateway.Auth;
using Broker.Gateway.Auth.Enhanced;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>
/// Enhanced authentication (MQTT 5.0 section 4.12): AUTH packets between CONNECT and CONNACK, and of a client that
/// authenticates again while everything else goes on.
/// <code>
/// CONNECT ──▶ exchange ◀──AUTH 0x18──▶ … ──▶ CONNACK          AUTH 0x19 ──▶ exchange ◀──AUTH 0x18──▶ … ──▶ AUTH 0x00
/// </code>
/// </summary>
internal sealed partial class ClientConnection
{
    private IEnhancedAuthenticator? _authenticator;
    private IAuthenticationExchange? _exchange;

    // CONNECT whose answer waits for the exchange, and the id that it was given; null in a re-authentication.
    private (ConnectPacket Packet, string ClientId)? _admission;

    // Of a re-authentication, in milliseconds of the monotonic clock; 0 for none. The first one has that of the CONNECT.
    private long _exchangeDeadline;

    private async Task BeginAuthenticationAsync(ConnectPacket packet, AuthenticationRequest request, string method)
    {
        _authenticator = _services.EnhancedAuthentication.Find(method);
        if (_authenticator is null)
        {
            // A method that is not offered [MQTT-4.12.0-1].
            RefuseClient(ReasonCode.BadAuthenticationMethod);
            return;
        }

        _admission = (packet, request.ClientId);
        _exchange = _authenticator.Begin(request);
        await StepAsync(_exchange, packet.AuthenticationData);
    }

    /// <summary>Before CONNACK a client may send AUTH and DISCONNECT only [MQTT-3.1.2-30].</summary>
    private void HandleWhileAuthenticating(in PacketFrame frame)
    {
        switch (frame.Type)
        {
            case PacketType.Auth:
                HandleAuth(frame);
                break;
            case PacketType.Disconnect:
                // The client has given up: there is no session, and no Will, that its words could matter for.
                _isClosing = true;
                break;
            default:
                Refuse(Violations.BeforeAuthenticated);
                break;
        }
    }

    private void HandleAuth(in PacketFrame frame)
    {
        if (_authenticator is null || Version != ProtocolVersion.Mqtt5)
        {
            // [MQTT-4.12.0-6] [MQTT-4.12.0-7]
            Refuse(Violations.AuthNotOffered);
            return;
        }

        if (!AuthPacket.TryDecode(frame, out var packet, out var violation))
        {
            Refuse(violation);
            return;
        }

        var mayContinue = packet.Reason == ReasonCode.ContinueAuthentication && _exchange is not null;
        var mayBegin = packet.Reason == ReasonCode.ReAuthenticate && _exchange is null && _session is not null;
        if (!mayContinue && !mayBegin)
        {
            Refuse(Violations.AuthUnexpected);
        }
        else if (packet.AuthenticationMethod != _authenticator.Method)
        {
            // [MQTT-4.12.0-5] [MQTT-4.12.1-1]
            Refuse(Violations.AuthMethodChanged);
        }
        else
        {
            _exchange ??= BeginReAuthentication();
            var work = StepAsync(_exchange, packet.AuthenticationData);
            _pending = work.IsCompletedSuccessfully ? null : work;
        }
    }

    private IAuthenticationExchange BeginReAuthentication()
    {
        Volatile.Write(ref _exchangeDeadline, Environment.TickCount64 + (long)_services.Limits.ConnectTimeout.TotalMilliseconds);
        _services.Wheel.Reschedule(this);
        return _authenticator!.Begin(new AuthenticationRequest(ClientId, _identity!.UserName, null, Address, Version));
    }

    private async Task StepAsync(IAuthenticationExchange exchange, byte[]? data)
    {
        ExchangeStep step;
        try
        {
            step = await exchange.NextAsync(data, _context.ConnectionClosed);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            Log.AuthenticationFailed(_services.Logger, ClientId, Address, _authenticator!.Method, error);
            step = ExchangeStep.Refuse(_session is null ? ReasonCode.ServerUnavailable : ReasonCode.UnspecifiedError);
        }

        if (_isClosing)
        {
            return;
        }

        if (step.Reason == ReasonCode.ContinueAuthentication)
        {
            // Going on with it is AUTH 0x18 [MQTT-4.12.0-2].
            using var batch = FlushBatch.Open();
            SendAuth(step);
            return;
        }

        _exchange = null;
        Volatile.Write(ref _exchangeDeadline, 0);
        if (_admission is { } admission)
        {
            _admission = null;
            await AnswerConnectAsync(admission.Packet, admission.ClientId, step);
        }
        else
        {
            AnswerReAuthentication(step);
        }
    }

    /// <summary>The exchange has ended: the client is admitted, or its connection ends [MQTT-4.12.0-4].</summary>
    private async Task AnswerConnectAsync(ConnectPacket packet, string clientId, ExchangeStep step)
    {
        if (step.Reason == ReasonCode.Success)
        {
            await AdmitAsync(packet, clientId, step.UserName, step.Data);
        }
        else
        {
            // The exchange has failed [MQTT-4.12.0-4]. The method may be the application's, and its reason one that CONNACK does not have.
            RefuseClient(ReasonCodes.IsAllowed(step.Reason, PacketType.ConnAck) ? step.Reason : ReasonCode.NotAuthorized);
        }
    }

    private void AnswerReAuthentication(ExchangeStep step)
    {
        using var batch = FlushBatch.Open();
        if (step.Reason != ReasonCode.Success)
        {
            // [MQTT-4.12.1-2]
            Log.ClientRefused(_services.Logger, ClientId, Address, step.Reason);
            Close(step.Reason);
        }
        else if (step.UserName != _identity!.UserName)
        {
            // What the connection has been allowed so far was allowed to somebody else.
            Log.ClientRefused(_services.Logger, ClientId, Address, ReasonCode.NotAuthorized);
            Close(ReasonCode.NotAuthorized);
        }
        else
        {
            SendAuth(step);
        }
    }

    /// <summary>As small as it can be: without Reason String [MQTT-3.15.2-2] and User Properties [MQTT-3.15.2-3].</summary>
    private void SendAuth(ExchangeStep step) => SendExplained(null, (writer, _) => new AuthPacket
    {
        Reason = step.Reason,
        AuthenticationMethod = _authenticator!.Method,
        AuthenticationData = step.Data,
    }.Write(writer));
}
