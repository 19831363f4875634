namespace Broker.Grains.Hooks;

/// <summary><c>session.created</c>: a session began.</summary>
public sealed record SessionCreated : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.SessionCreated;

    /// <summary>Whether it outlives its connection.</summary>
    public bool IsDurable { get; init; }
}
