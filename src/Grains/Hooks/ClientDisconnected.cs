namespace Broker.Grains.Hooks;

/// <summary><c>client.disconnected</c>: the connection of a client has ended.</summary>
public sealed record ClientDisconnected : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.ClientDisconnected;

    /// <summary>The proven user name; null when it is anonymous.</summary>
    public string? UserName { get; init; }

    /// <summary>
    /// <c>normal</c>, <c>connection_lost</c>, <c>broker_stop</c> (sent away: by a stop or a balance), or the name of the reason code with which the broker closed it, such as
    /// <c>keep_alive_timeout</c>.
    /// </summary>
    public required string Reason { get; init; }
}
