namespace Broker.Grains.Interfaces.Diagnostics;

/// <summary>A question to the loss ledger. What is null is not looked at.</summary>
[GenerateSerializer, Immutable, Alias("broker.drop-query")]
public sealed record DropQuery
{
    /// <summary>Client Identifier.</summary>
    [Id(0)]
    public string? ClientId { get; init; }

    /// <summary>A Topic Filter that the topic has to match.</summary>
    [Id(1)]
    public string? Filter { get; init; }

    /// <summary>Name of a reason, in any case.</summary>
    [Id(2)]
    public string? Reason { get; init; }

    /// <summary>Most entries in the answer.</summary>
    [Id(3)]
    public int Limit { get; init; } = 100;
}
