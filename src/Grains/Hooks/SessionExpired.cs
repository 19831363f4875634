namespace Broker.Grains.Hooks;

/// <summary><c>session.expired</c>: a client has stayed away for longer than its Session Expiry Interval.</summary>
public sealed record SessionExpired : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.SessionExpired;
}
