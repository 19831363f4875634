namespace Broker.Grains.Interfaces.Topics;

/// <summary>What a silo says about its sessions that subscribe to a filter.</summary>
[GenerateSerializer, Immutable, Alias("broker.silo-interest")]
public sealed record SiloInterest
{
    [Id(0)]
    public required SiloAddress Silo { get; init; }

    /// <summary>Ascending within the life of the silo: of two answers, the one with the higher version was read later.</summary>
    [Id(1)]
    public required long Version { get; init; }

    /// <summary>Sessions with a client connected.</summary>
    [Id(2)]
    public int Connected { get; init; }

    /// <summary>Durable sessions that the silo keeps while their client is away.</summary>
    [Id(3)]
    public int Dormant { get; init; }

    /// <summary>Whether messages of the filter must go there.</summary>
    public bool Exists => Connected + Dormant > 0;
}
