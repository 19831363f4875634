namespace Broker.Grains.Hooks;

/// <summary><c>session.resumed</c>: a client has come back to its session.</summary>
public sealed record SessionResumed : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.SessionResumed;
}
