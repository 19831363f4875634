namespace Broker.Grains.Hooks;

/// <summary>Something that has happened, for those who asked to be told. Told in the order in which it happened to a client.</summary>
public abstract record BrokerEvent
{
    /// <summary>What happened.</summary>
    public abstract BrokerEventKind Kind { get; }

    /// <summary>When.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Client Identifier of whom it concerns.</summary>
    public required string ClientId { get; init; }
}
