using Broker.Gateway.Hosting;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>
/// Ends all connections when the broker stops: MQTT 5.0 clients are told Server shutting down (0x8B). Wills stay in the
/// store: clients that come back after the restart have not died.
/// </summary>
internal sealed class ConnectionDrain(ConnectionRegistry registry) : IConnectionDrain
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <inheritdoc />
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        registry.IsDraining = true;
        foreach (var connection in registry.All)
        {
            connection.Close(ReasonCode.ServerShuttingDown);
        }

        while (registry.Count > 0 && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Look, CancellationToken.None);
        }

        foreach (var connection in registry.All)
        {
            connection.Abort();
        }
    }
}
