using Broker.Gateway.Hosting;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Listeners;

/// <summary>
/// Counts MQTT connections and closes at once those that come beyond <see cref="ListenersOptions.MaxConnections"/> or when the broker stops.
/// </summary>
internal sealed class ConnectionGate(ListenersOptions options, BrokerState state)
{
    private int _open;
    private long _opened;
    private long _refused;

    /// <summary>Connections open now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Connections that clients have opened since the start, those that were refused included.</summary>
    public long Opened => Volatile.Read(ref _opened);

    /// <summary>Connections closed here since the start.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Puts the gate before a connection handler.</summary>
    public ConnectionDelegate Guard(ConnectionDelegate next) => async connection =>
    {
        var open = Interlocked.Increment(ref _open);
        Interlocked.Increment(ref _opened);
        try
        {
            if (state.IsClosed || (options.MaxConnections != 0 && open > options.MaxConnections))
            {
                Interlocked.Increment(ref _refused);
                connection.Abort();
                return;
            }

            await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    };
}
