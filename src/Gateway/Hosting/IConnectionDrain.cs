namespace Broker.Gateway.Hosting;

/// <summary>
/// Ends the MQTT connections of a broker that stops. Called after readiness has turned false and no connection is taken any more, before
/// Kestrel and the silo stop: what is still connected then would hold Kestrel, and with it the store and the silo, for the whole stop time.
/// </summary>
public interface IConnectionDrain
{
    /// <summary>
    /// Tells every client and closes every connection. <paramref name="cancellationToken"/> fires when
    /// <c>Broker:Shutdown:DrainTimeout</c> is over; connections must then be aborted and the task end.
    /// </summary>
    Task DrainAsync(CancellationToken cancellationToken);
}
