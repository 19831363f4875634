namespace Broker.Grains.Interfaces.Diagnostics;

/// <summary>What a trace writes down: what one client, or clients of some addresses, say and are told, or what happens on some topics.</summary>
[GenerateSerializer, Immutable, Alias("broker.trace-spec")]
public sealed record TraceSpec
{
    /// <summary>Its name, and that of its file: up to 64 letters, digits, <c>-</c> and <c>_</c> of ASCII.</summary>
    [Id(0)]
    public required string Name { get; init; }

    /// <summary>Client Identifier. Of this, <see cref="Filter"/> and <see cref="Addresses"/> one is given.</summary>
    [Id(1)]
    public string? ClientId { get; init; }

    /// <summary>A Topic Filter.</summary>
    [Id(2)]
    public string? Filter { get; init; }

    /// <summary>An address, or a network <c>ADDRESS/BITS</c>.</summary>
    [Id(3)]
    public string? Addresses { get; init; }

    /// <summary>How much of each payload is written, in bytes.</summary>
    [Id(4)]
    public int PayloadBytes { get; init; }

    /// <summary>When it ends by itself, in milliseconds since 1970.</summary>
    [Id(5)]
    public required long EndsAt { get; init; }
}
