namespace Broker.Grains.Interfaces.Diagnostics;

/// <summary>Messages of one topic that were dropped for one client and one reason.</summary>
[GenerateSerializer, Immutable, Alias("broker.drop-total")]
public sealed record DropTotal
{
    /// <summary>Whose delivery it was; the publisher's for a refused publish.</summary>
    [Id(0)]
    public required string ClientId { get; init; }

    [Id(1)]
    public required string Topic { get; init; }

    [Id(2)]
    public required string Reason { get; init; }

    [Id(3)]
    public long Count { get; init; }

    /// <summary>The first of them, in milliseconds since 1970.</summary>
    [Id(4)]
    public long First { get; init; }

    /// <summary>The last of them, in milliseconds since 1970.</summary>
    [Id(5)]
    public long Last { get; init; }

    /// <summary>Message id of the last one; null for QoS 0.</summary>
    [Id(6)]
    public string? LastMessage { get; init; }
}
