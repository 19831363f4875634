namespace Broker.Grains.Hooks;

/// <summary><c>client.connected</c>: a client has got its CONNACK.</summary>
public sealed record ClientConnected : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.ClientConnected;

    /// <summary>The proven user name; null when it is anonymous.</summary>
    public string? UserName { get; init; }

    /// <summary>Where it connects from.</summary>
    public required string Address { get; init; }

    /// <summary>5.0, 3.1.1 or 3.1.</summary>
    public required string Protocol { get; init; }

    /// <summary>Whether an earlier session goes on.</summary>
    public bool SessionPresent { get; init; }

    /// <summary>Keep Alive in seconds; 0 for none.</summary>
    public int KeepAlive { get; init; }
}
