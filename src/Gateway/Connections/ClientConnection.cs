using System.Buffers;
using System.Net;
using Broker.Gateway.Auth;
using Broker.Grains.Sessions;
using Broker.Protocol;
using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Connections;

/// <summary>
/// One MQTT connection from its first byte to its last: the protocol's state machine between the transport and the
/// session. Everything that one read brings is handled on the reader's thread, then everything that was written to any
/// connection meanwhile is flushed. The thread is given back only to wait for a commit or for the client. What the broker has beyond
/// the specification needs nothing from a client that does not use it [MQTT-7.0.0-2] of 3.1.1.
/// </summary>
internal sealed partial class ClientConnection : IClientLink
{
    private static uint _lastNumber;

    private readonly ConnectionServices _services;
    private readonly ConnectionContext _context;
    private readonly ClientOutput _output;
    private readonly PublishAcknowledgements _acknowledgements;
    private readonly PublisherRecords _records = new();
    private readonly uint _number = Interlocked.Increment(ref _lastNumber);
    private Session? _session;
    private ClientIdentity? _identity;
    private long _epoch;
    private Task? _pending;
    private volatile bool _isClosing;
    private volatile bool _isSentAway;
    private bool _isClean;
    private ReasonCode? _closeReason;
    private DisconnectPacket? _goodbye;
    private uint? _newExpiryInterval;

    public ClientConnection(ConnectionServices services, ConnectionContext context)
    {
        _services = services;
        _context = context;
        _output = new ClientOutput(context.Transport.Output, services.Limits.OutboundBufferBytes, services.Metrics, Drained);
        _acknowledgements = new PublishAcknowledgements(Acknowledge, services.SiloTime);
    }

    /// <inheritdoc />
    public ProtocolVersion Version { get; private set; } = ProtocolVersion.Mqtt311;

    /// <summary>Client Identifier; empty before CONNECT.</summary>
    public string ClientId => _identity?.ClientId ?? "";

    /// <summary>Its session; null before CONNECT is done.</summary>
    internal Session? Session => _session;

    /// <inheritdoc />
    public bool IsSentAway => _isSentAway;

    /// <summary>Whether its end has begun, from either side.</summary>
    internal bool IsClosing => _isClosing;

    private IPAddress Address => RemoteAddress.Of(_context.RemoteEndPoint);

    /// <summary>Serves the connection until either side ends it.</summary>
    public async Task RunAsync()
    {
        _services.Registry.Add(this);
        _services.Wheel.Add(this);
        try
        {
            await ReadAsync();
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ConnectionAbortedException)
        {
            // The network went away: an end like any other, and the Will's business.
            Log.ConnectionLost(_services.Logger, ClientId, error.Message);
        }
        catch (Exception error)
        {
            // A packet that could not be processed is not passed over [MQTT-4.8.0-2] of 3.1.1.
            Log.ConnectionFailed(_services.Logger, ClientId, error);
            Close(ReasonCode.UnspecifiedError);
        }
        finally
        {
            await EndAsync();
        }
    }

    /// <inheritdoc />
    public void Close(ReasonCode reason) => Close(reason, ReasonTexts.Of(reason));

    /// <summary>
    /// The broker stops, or has too many: the end is not the client's doing, and its Will waits for it to come back. A CONNECT that is
    /// under way is refused with the same reason.
    /// </summary>
    internal void SendAway(DisconnectPacket goodbye)
    {
        if (_isClosing)
        {
            return;
        }

        goodbye = goodbye with { ReasonString = ReasonTexts.Of(goodbye.Reason) };
        _isSentAway = true;
        _goodbye = goodbye;

        // Whoever reads the other's mark second, this or HandleFirst, answers the CONNECT.
        Interlocked.MemoryBarrier();
        RefuseSentAway();
        Close(goodbye);
    }

    /// <summary>As <see cref="SendAway"/>, for a client that has not gone in time.</summary>
    internal void CutOff()
    {
        _isSentAway = true;
        Abort();
    }

    /// <summary>Ends the connection [MQTT-3.14.4-2] [MQTT-4.13.2-1], in MQTT 5.0 with a DISCONNECT that says why.</summary>
    private void Close(ReasonCode reason, string? text) => Close(new DisconnectPacket
    {
        Reason = ReasonCodes.IsAllowed(reason, PacketType.Disconnect) ? reason : ReasonCode.UnspecifiedError, ReasonString = text,
    });

    private void Close(DisconnectPacket goodbye)
    {
        if (_isClosing)
        {
            return;
        }

        _isClosing = true;
        _closeReason = goodbye.Reason;

        // CONNACK and this may be under way at the same time: whichever is second says goodbye, see SayGoodbye.
        Interlocked.MemoryBarrier();
        if (Version == ProtocolVersion.Mqtt5 && _isAccepted && goodbye.Reason != ReasonCode.Success)
        {
            SendDisconnect(goodbye);
        }

        _output.EndWaiting();

        // Wakes the reader, which ends the connection: elsewhere, because whoever closes may hold a lock.
        ThreadPool.UnsafeQueueUserWorkItem(
            static connection => connection._context.Transport.Input.CancelPendingRead(), this, preferLocal: false);
    }

    /// <summary>Ends the connection without a word: its client is gone or does not speak MQTT.</summary>
    public void Abort()
    {
        _isClosing = true;
        _context.Abort();
    }

    private async Task ReadAsync()
    {
        var input = _context.Transport.Input;
        while (!_isClosing)
        {
            var result = await input.ReadAsync();
            if (_isClosing)
            {
                return;
            }

            var buffer = result.Buffer;
            using (FlushBatch.Open())
            {
                HandlePackets(ref buffer);
            }

            if (_pending is { } pending)
            {
                // What is left of the read waits in the pipe; the client is not read meanwhile.
                _pending = null;
                input.AdvanceTo(buffer.Start);
                _isHeldUp = true;
                await pending;
                Volatile.Write(ref _lastActivity, Environment.TickCount64);
                _isHeldUp = false;
                continue;
            }

            if (result.IsCompleted)
            {
                return;
            }

            input.AdvanceTo(buffer.Start, buffer.End);
            if (ReadTurn.IsOver(_number))
            {
                await Task.Yield();
            }
        }
    }

    /// <summary>Handles packets until the read is used up, one has to be waited for, or the connection closes.</summary>
    private void HandlePackets(ref ReadOnlySequence<byte> buffer)
    {
        var isAlive = false;
        while (!_isClosing && _pending is null)
        {
            var length = buffer.Length;
            switch (PacketFramer.TryRead(ref buffer, _services.Limits.MaxPacketSize, out var frame))
            {
                case FrameStatus.Incomplete:
                    if (_session is null && _exchange is null && !MayBecomeConnect(buffer))
                    {
                        Refuse(Violations.FirstPacketNotConnect);
                    }
                    else if (_output.IsOverBudget)
                    {
                        _pending = _output.WaitForRoomAsync();
                    }

                    return;
                case FrameStatus.Complete:
                    if (!isAlive)
                    {
                        // A whole packet, not a part of one [MQTT-3.1.2-22]; the clock is read once for all that a read brings.
                        isAlive = true;
                        Volatile.Write(ref _lastActivity, Environment.TickCount64);
                    }

                    _services.Metrics.Received(frame.Type, length - buffer.Length);
                    if (_services.Traces.Active is { } traces)
                    {
                        TraceReceived(traces, frame);
                    }

                    HandlePacket(frame);
                    break;
                case FrameStatus.TooLarge:
                    RefuseTooLarge(frame);
                    return;
                default:
                    Refuse(Violations.RemainingLength);
                    return;
            }
        }
    }

    /// <summary>Whoever begins with something else than CONNECT is told by its first byte, not by the rest of its packet.</summary>
    private static bool MayBecomeConnect(in ReadOnlySequence<byte> buffer) =>
        buffer.IsEmpty || buffer.FirstSpan[0] >> 4 == (int)PacketType.Connect;

    private void HandlePacket(in PacketFrame frame)
    {
        if (_session is null)
        {
            HandleFirst(frame);
            return;
        }

        switch (frame.Type)
        {
            case PacketType.Publish:
                HandlePublish(frame);
                break;
            case PacketType.PubAck:
            case PacketType.PubRec:
            case PacketType.PubRel:
            case PacketType.PubComp:
                HandleAcknowledgement(frame);
                break;
            case PacketType.Subscribe:
                HandleSubscribe(frame);
                break;
            case PacketType.Unsubscribe:
                HandleUnsubscribe(frame);
                break;
            case PacketType.PingReq:
                HandlePing(frame);
                break;
            case PacketType.Disconnect:
                HandleDisconnect(frame);
                break;
            case PacketType.Auth:
                HandleAuth(frame);
                break;
            case PacketType.Connect:
                Refuse(Violations.SecondConnect);
                break;
            default:
                Refuse(Violations.ServerPacket);
                break;
        }
    }

    /// <summary>A protocol violation: the reason code goes to the client, the rule to the log, the connection ends.</summary>
    private void Refuse(ProtocolViolation violation)
    {
        Log.Refused(_services.Logger, ClientId, Address, violation.SpecId, violation.Description);
        _services.Metrics.Violation();
        if (_services.Traces.Active is { } traces)
        {
            TraceViolation(traces, violation);
        }

        // 3.x has no return code for it and gets no CONNACK [MQTT-3.2.2-6] of 3.1.1; neither does who has not told its version.
        if (_session is null && Version == ProtocolVersion.Mqtt5)
        {
            SendConnAckRefusal(violation.Reason, violation.Description);
        }

        Close(violation.Reason, violation.Description);
    }

    /// <summary>PINGREQ is answered with PINGRESP [MQTT-3.12.4-1].</summary>
    private void HandlePing(in PacketFrame frame)
    {
        if (frame.Flags != 0 || !frame.Body.IsEmpty)
        {
            Refuse(Violations.MalformedPing);
            return;
        }

        SendBytes(PingResponse);
    }

    private void HandleDisconnect(in PacketFrame frame)
    {
        if (!DisconnectPacket.TryDecode(frame, Version, out var packet, out var violation))
        {
            Refuse(violation);
            return;
        }

        if (packet.SessionExpiryInterval is { } interval and > 0 && _session!.ExpiryInterval == 0)
        {
            // Only a session that was to outlive its connection may be given another time (MQTT 5.0 section 3.14.2.2.2).
            Refuse(Violations.ExpiryFromZero);
            return;
        }

        _newExpiryInterval = packet.SessionExpiryInterval is { } requested ? LimitExpiry(requested) : null;

        // 0x00 takes the Will away [MQTT-3.14.4-3].
        _isClean = packet.Reason == ReasonCode.Success;
        _isClosing = true;
    }

    private async Task EndAsync()
    {
        _isClosing = true;
        _services.Wheel.Remove(this);
        _services.Registry.Remove(this);
        _acknowledgements.Abandon();
        if (_services.Traces.Active is { } traces)
        {
            TraceEnd(traces);
        }

        if (_session is not null)
        {
            // A CONNECT that was not accepted has left no Will to be published.
            var cause = _isClean || !_isAccepted ? EndCause.Disconnect : _isSentAway ? EndCause.SentAway : EndCause.Lost;
            _services.Lifecycle.ConnectionEnded(_session, _epoch, cause, _newExpiryInterval);
            if (_isAnnounced)
            {
                _services.Presence.Disconnected(_identity!, Version, cause, _closeReason);
                _services.Events.Disconnected(_identity!, cause, _closeReason);
            }
        }

        // A client that does not read its last packets gets a second to do so.
        var closed = _output.CloseAsync();
        if (!closed.IsCompleted)
        {
            await closed.WaitAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!closed.IsCompleted)
            {
                _context.Abort();
            }
        }

        await _context.Transport.Input.CompleteAsync();
        await _context.Transport.Output.CompleteAsync();
    }
}
