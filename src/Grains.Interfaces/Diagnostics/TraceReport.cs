namespace Broker.Grains.Interfaces.Diagnostics;

/// <summary>How a trace stands on one silo.</summary>
[GenerateSerializer, Immutable, Alias("broker.trace-report")]
public sealed record TraceReport
{
    [Id(0)]
    public required string Name { get; init; }

    /// <summary>Null for a file that an earlier process has left.</summary>
    [Id(1)]
    public TraceSpec? Spec { get; init; }

    /// <summary>In milliseconds since 1970.</summary>
    [Id(2)]
    public long StartedAt { get; init; }

    /// <summary>Why it has ended; null while it goes on.</summary>
    [Id(3)]
    public string? Ending { get; init; }

    /// <summary>Events that were written.</summary>
    [Id(4)]
    public long Lines { get; init; }

    /// <summary>Events that were not written because they came faster than the disk takes them.</summary>
    [Id(5)]
    public long Missing { get; init; }

    /// <summary>Size of the file.</summary>
    [Id(6)]
    public long Bytes { get; init; }
}
