namespace Broker.Grains.Hooks;

/// <summary><c>session.taken_over</c>: another connection with the same Client Identifier has closed the earlier one.</summary>
public sealed record SessionTakenOver : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.SessionTakenOver;
}
