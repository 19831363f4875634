namespace Broker.Grains.Cluster;

/// <summary>The client connections of this silo, as far as a balance between silos needs them.</summary>
public interface IClientConnections
{
    /// <summary>How many are open.</summary>
    int Count { get; }

    /// <summary>
    /// Closes so many, of whichever clients; MQTT 5.0 clients are told Use another server (0x9C). Their Wills wait for them to come back.
    /// </summary>
    /// <returns>How many were closed: fewer when there are no more, or the silo stops and closes all of them anyway.</returns>
    int SendAway(int count);
}
