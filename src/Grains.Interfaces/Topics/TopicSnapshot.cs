namespace Broker.Grains.Interfaces.Topics;

/// <summary>A Topic Filter as the dashboard shows it.</summary>
[GenerateSerializer, Immutable, Alias("broker.topic.snapshot")]
public sealed record TopicSnapshot
{
    [Id(0)]
    public required string Filter { get; init; }

    /// <summary>Live silos with subscribers, and those that have not answered yet.</summary>
    [Id(1)]
    public IReadOnlyList<TopicSilo> Silos { get; init; } = [];

    /// <summary>Durable sessions in all whose client is away.</summary>
    [Id(2)]
    public int Dormant { get; init; }
}

/// <summary>One silo in a <see cref="TopicSnapshot"/>.</summary>
[GenerateSerializer, Immutable, Alias("broker.topic.silo")]
public sealed record TopicSilo
{
    /// <summary>Address and generation.</summary>
    [Id(0)]
    public required string Silo { get; init; }

    /// <summary>False until the silo has answered; messages go there as if it were interested.</summary>
    [Id(1)]
    public bool IsKnown { get; init; }

    [Id(2)]
    public int Connected { get; init; }

    [Id(3)]
    public int Dormant { get; init; }

    /// <summary>Batches that wait for this silo on the edge from the Topic grain's silo.</summary>
    [Id(4)]
    public int EdgeDepth { get; init; }

    /// <summary>Their size in bytes.</summary>
    [Id(5)]
    public long EdgeBytes { get; init; }
}
