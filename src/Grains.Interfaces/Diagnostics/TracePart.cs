namespace Broker.Grains.Interfaces.Diagnostics;

/// <summary>A part of the file of a trace.</summary>
[GenerateSerializer, Immutable, Alias("broker.trace-part")]
public sealed record TracePart
{
    /// <summary>Whether there is such a file.</summary>
    [Id(0)]
    public bool IsThere { get; init; }

    /// <summary>What stands at the place that was asked for; nothing at the end.</summary>
    [Id(1)]
    public byte[] Bytes { get; init; } = [];
}
