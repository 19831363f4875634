namespace Broker.Grains.Interfaces.Topics;

/// <summary>What a silo says about its sessions that subscribe to a filter.</summary>
[GenerateSerializer, Immutable, Alias("broker.silo-interest")]
public sealed record SiloInterest
{
    [Id(0)]
    public required SiloAddress Silo { get; init; }

    /// <summary>Sessions with a client connected.</summary>
    [Id(2)]
    public int Connected { get; init; }

    /// <summary>Durable sessions that the silo keeps while their client is away.</summary>
    [Id(3)]
    public int Dormant { get; init; }
}
