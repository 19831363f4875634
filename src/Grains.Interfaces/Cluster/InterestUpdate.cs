namespace Broker.Grains.Interfaces.Cluster;

/// <summary>What a silo tells another about the Topic Filters that its sessions subscribe to.</summary>
[GenerateSerializer, Immutable, Alias("broker.interest")]
public sealed record InterestUpdate
{
    /// <summary>Silo that tells.</summary>
    [Id(0)]
    public required SiloAddress Silo { get; init; }

    /// <summary>Ascending; an update that comes after one with a higher number is out of date.</summary>
    [Id(1)]
    public required long Number { get; init; }

    /// <summary>Filters that have their first subscriber.</summary>
    [Id(2)]
    public string[] Added { get; init; } = [];

    /// <summary>Filters that have lost their last one.</summary>
    [Id(3)]
    public string[] Removed { get; init; } = [];

    /// <summary>Whether the silo has told everything it began with.</summary>
    [Id(4)]
    public bool IsComplete { get; init; }
}
