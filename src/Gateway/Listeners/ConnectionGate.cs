using Broker.Gateway.Auth;
using Broker.Gateway.Connections;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Listeners;

/// <summary>
/// Counts MQTT connections and refuses those that come from where they may not (<see cref="ListenerAccess"/>), beyond
/// <see cref="ListenersOptions.MaxConnections"/> or that of their endpoint, or when the broker stops: they are closed at once, or told where to go
/// (<see cref="LateConnects"/>).
/// </summary>
internal sealed class ConnectionGate(ListenersOptions options, BrokerState state, LateConnects late, DeniedConnections denied)
{
    private int _open;
    private long _opened;
    private long _refused;
    private long _tooMany;

    /// <summary>Connections open now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Connections that clients have opened since the start, those that were refused included.</summary>
    public long Opened => Volatile.Read(ref _opened);

    /// <summary>Connections refused here since the start.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Those of them that came beyond <see cref="ListenersOptions.MaxConnections"/> or that of their endpoint.</summary>
    public long TooMany => Volatile.Read(ref _tooMany);

    /// <summary>Those of them that the access list of their listener has refused, or that came from a balancer without its header.</summary>
    public long Denied => denied.Count;

    /// <summary>Puts the gate before a connection handler.</summary>
    /// <param name="access">Who may connect to the listener.</param>
    public ConnectionDelegate Guard(ConnectionDelegate next, ListenerAccess access) => async connection =>
    {
        Interlocked.Increment(ref _opened);
        if (!access.IsBalancer(connection) && access.ObstacleOf(connection) is { } key)
        {
            // It takes no place, and nobody waits for it.
            Deny(connection, key);
            return;
        }

        if (!await TryPassAsync(connection, next, access))
        {
            Interlocked.Increment(ref _refused);
            if (state.IsClosed)
            {
                await late.RefuseAsync(connection);
            }
            else
            {
                connection.Abort();
            }
        }
    };

    /// <summary>Who the client of a balancer is shows only when it has a place: headers that do not come cannot fill the broker.</summary>
    private async Task LetInAsync(ConnectionContext connection, ConnectionDelegate next, ListenerAccess access)
    {
        if (!access.IsBalancer(connection) || await access.FindObstacleAsync(connection, state.Over) is not { } key)
        {
            await next(connection);
        }
        else if (state.IsClosed)
        {
            // It was not let in because the broker stops, whatever is missing.
            Interlocked.Increment(ref _refused);
            connection.Abort();
        }
        else
        {
            Deny(connection, key);
        }
    }

    private void Deny(ConnectionContext connection, string key)
    {
        Interlocked.Increment(ref _refused);
        denied.Add(RemoteAddress.Of(connection.RemoteEndPoint), key);
        connection.Abort();
    }

    private async Task<bool> TryPassAsync(ConnectionContext connection, ConnectionDelegate next, ListenerAccess access)
    {
        // First counted, then looked: a drain that misses the count is seen here.
        var open = Interlocked.Increment(ref _open);
        var hasPlace = access.Enter();
        try
        {
            if (state.IsClosed)
            {
                return false;
            }

            if (!hasPlace || (options.MaxConnections != 0 && open > options.MaxConnections))
            {
                Interlocked.Increment(ref _tooMany);
                return false;
            }

            await LetInAsync(connection, next, access);
            return true;
        }
        finally
        {
            access.Leave();
            Interlocked.Decrement(ref _open);
        }
    }
}
