namespace Broker.Grains.Interfaces.Diagnostics;

/// <summary>What one silo knows of a QoS 1 or 2 message.</summary>
[GenerateSerializer, Immutable, Alias("broker.message-trace")]
public sealed record MessageTrace
{
    /// <summary>Where it is, or what became of it, for each client.</summary>
    [Id(0)]
    public MessagePlace[] Places { get; init; } = [];
}
