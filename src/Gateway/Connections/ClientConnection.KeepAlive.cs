using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>Time limits of a connection, looked at by the silo's <see cref="KeepAliveWheel"/>.</summary>
internal sealed partial class ClientConnection
{
    private readonly long _openedAt = Environment.TickCount64;

    // When the latest packet was complete: a packet that takes longer than the time limit counts as none, however large it is.
    private long _lastActivity = Environment.TickCount64;
    private ushort _keepAlive;

    // The client is not read now: its PINGREQ may lie in the pipe. It is its own fault when it does not read what it is sent.
    private volatile bool _isHeldUp;

    /// <summary>Place in the wheel.</summary>
    internal KeepAliveWheel.Slot WheelSlot { get; } = new();

    /// <summary>
    /// Closes the connection when its time is over; otherwise the time of the next look, in milliseconds of the monotonic
    /// clock.
    /// </summary>
    internal long CheckTime(long now)
    {
        if (_session is not { } session)
        {
            if (_isClaiming)
            {
                // Looked at again when it has its session.
                return long.MaxValue;
            }

            var limit = _openedAt + (long)_services.Limits.ConnectTimeout.TotalMilliseconds;
            if (now >= limit)
            {
                Log.NoConnect(_services.Logger, Address);
                Abort();
            }

            return limit;
        }

        var next = long.MaxValue;
        if (_keepAlive > 0)
        {
            // Before the time of the last packet, which is set before it ends.
            var isHeldUp = _isHeldUp;

            // One and a half times the Keep Alive without a packet [MQTT-3.1.2-22].
            var limit = Volatile.Read(ref _lastActivity) + (long)(_keepAlive * 1000 * _services.Limits.KeepAliveFactor);
            if (now >= limit && isHeldUp && !_output.IsOverBudget)
            {
                limit = now + (_keepAlive * 1000L);
            }
            else if (now >= limit)
            {
                Log.KeepAliveOver(_services.Logger, ClientId);
                Close(ReasonCode.KeepAliveTimeout);
            }

            next = limit;
        }

        if (Volatile.Read(ref _exchangeDeadline) is > 0 and var deadline)
        {
            if (now >= deadline)
            {
                Log.AuthenticationTimedOut(_services.Logger, ClientId);
                Close(ReasonCode.NotAuthorized, "The re-authentication was not completed in time.");
            }

            next = Math.Min(next, deadline);
        }

        var retry = _services.SessionOptions.RetryInterval;
        if (Version != ProtocolVersion.Mqtt5 && retry > TimeSpan.Zero)
        {
            session.RetryUnacknowledged(retry);
            next = Math.Min(next, now + (long)retry.TotalMilliseconds);
        }

        return next;
    }
}
