using Broker.Protocol;

namespace Broker.Grains.Interfaces.Shared;

/// <summary>All members of a group that are on one silo, as they are now.</summary>
[GenerateSerializer, Immutable, Alias("broker.shared.members")]
public sealed record SharedMembers
{
    /// <summary>Number of the group's session.</summary>
    [Id(0)]
    public required long Group { get; init; }

    [Id(1)]
    public required SharedMemberState[] Members { get; init; }

    /// <summary>Sequences of messages that were lent to them and are not settled; told once, to a silo that has the group anew.</summary>
    [Id(2)]
    public SharedLoanHeld[] Held { get; init; } = [];
}

/// <summary>One member.</summary>
[GenerateSerializer, Immutable, Alias("broker.shared.member")]
public sealed record SharedMemberState
{
    [Id(0)]
    public required string ClientId { get; init; }

    /// <summary>Granted QoS.</summary>
    [Id(1)]
    public required QualityOfService Granted { get; init; }

    /// <summary>Whether the session outlives its connection.</summary>
    [Id(2)]
    public required bool IsDurable { get; init; }

    [Id(3)]
    public required bool IsConnected { get; init; }

    /// <summary>Messages that it may have unacknowledged at a time.</summary>
    [Id(4)]
    public required int Window { get; init; }
}

/// <summary>A message that a member has had from the silo that had the group before.</summary>
[GenerateSerializer, Immutable, Alias("broker.shared.held")]
public readonly record struct SharedLoanHeld([property: Id(0)] string ClientId, [property: Id(1)] long Sequence);
