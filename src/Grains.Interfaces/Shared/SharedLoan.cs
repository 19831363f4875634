using Broker.Protocol;

namespace Broker.Grains.Interfaces.Shared;

/// <summary>A message of a group that is lent to a member; the message itself stands in the batch.</summary>
[GenerateSerializer, Immutable, Alias("broker.shared.loan")]
public sealed record SharedLoan
{
    /// <summary>Number of the group's session.</summary>
    [Id(0)]
    public required long Group { get; init; }

    /// <summary>Position in the group's session; 0 for QoS 0, of which nothing is heard again.</summary>
    [Id(1)]
    public required long Sequence { get; init; }

    /// <summary>Client Identifier of the member.</summary>
    [Id(2)]
    public required string ClientId { get; init; }

    /// <summary>QoS towards the group.</summary>
    [Id(3)]
    public required QualityOfService Qos { get; init; }

    /// <summary>RETAIN flag of the publish.</summary>
    [Id(4)]
    public required bool Retain { get; init; }

    /// <summary>Whether somebody has had it before.</summary>
    [Id(5)]
    public required bool WasSent { get; init; }

    /// <summary>Number of the message's row; 0 when there is none.</summary>
    [Id(6)]
    public required long Message { get; init; }
}

/// <summary>The end of a loan.</summary>
/// <param name="Group">Number of the group's session.</param>
/// <param name="Sequence">Position in it.</param>
/// <param name="Outcome">Of LoanOutcome.</param>
[GenerateSerializer, Immutable, Alias("broker.shared.settlement")]
public readonly record struct SharedSettlement(
    [property: Id(0)] long Group, [property: Id(1)] long Sequence, [property: Id(2)] byte Outcome);
