namespace Broker.Grains.Interfaces.Diagnostics;

/// <summary>Where a message is for one client.</summary>
[GenerateSerializer, Immutable, Alias("broker.message-place")]
public sealed record MessagePlace
{
    [Id(0)]
    public required string ClientId { get; init; }

    /// <summary>
    /// <c>queued</c>, <c>in flight</c>, <c>received</c> (PUBREC), <c>stored</c>, <c>acknowledged</c> or <c>dropped</c>; <c>delayed</c>
    /// of a message that is to be published later, with its publisher as the client.
    /// </summary>
    [Id(1)]
    public required string State { get; init; }

    /// <summary>Packet Identifier towards the client; 0 where there is none.</summary>
    [Id(2)]
    public int PacketId { get; init; }

    /// <summary>When, in milliseconds since 1970, for what has happened and what is to happen; 0 for what is.</summary>
    [Id(3)]
    public long Time { get; init; }

    /// <summary>Why it was dropped.</summary>
    [Id(4)]
    public string? Reason { get; init; }
}
