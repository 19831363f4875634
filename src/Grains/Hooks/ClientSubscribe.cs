namespace Broker.Grains.Hooks;

/// <summary><c>client.subscribe</c>: a client was granted a subscription.</summary>
public sealed record ClientSubscribe : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.ClientSubscribe;

    /// <summary>Topic Filter.</summary>
    public required string Filter { get; init; }

    /// <summary>The granted QoS.</summary>
    public int Qos { get; init; }
}
