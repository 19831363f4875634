namespace Broker.Grains.Interfaces.Topics;

/// <summary>
/// What one call on an edge carries. A call whose outcome is unknown is made again with the same number and content; the
/// receiver handles a number once.
/// </summary>
[GenerateSerializer, Immutable, Alias("broker.edge-batch")]
public sealed record EdgeBatch
{
    /// <summary>The edge, made up anew by each life of its source.</summary>
    [Id(0)]
    public required Guid Edge { get; init; }

    /// <summary>Ascending by one from 1.</summary>
    [Id(1)]
    public required long Number { get; init; }

    /// <summary>In the order in which they are to be handled.</summary>
    [Id(2)]
    public required MessageBatch[] Batches { get; init; }
}
