namespace Broker.Grains.Hooks;

/// <summary><c>client.unsubscribe</c>: a client has ended a subscription.</summary>
public sealed record ClientUnsubscribe : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.ClientUnsubscribe;

    /// <summary>Topic Filter.</summary>
    public required string Filter { get; init; }
}
