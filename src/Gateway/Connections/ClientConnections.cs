using Broker.Gateway.Hosting;
using Broker.Grains.Cluster;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>The connections of this silo for the balance between silos.</summary>
internal sealed class ClientConnections(ConnectionRegistry registry, BrokerState state) : IClientConnections
{
    private static readonly DisconnectPacket Goodbye = new() { Reason = ReasonCode.UseAnotherServer };

    /// <inheritdoc />
    public int Count => registry.Count;

    /// <inheritdoc />
    public int SendAway(int count)
    {
        var done = 0;
        if (count <= 0 || state.IsStopping)
        {
            return 0;
        }

        foreach (var connection in registry.All.Where(static c => !c.IsClosing).Take(count))
        {
            connection.SendAway(Goodbye);
            done++;
        }

        return done;
    }
}
