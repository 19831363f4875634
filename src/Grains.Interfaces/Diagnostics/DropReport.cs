namespace Broker.Grains.Interfaces.Diagnostics;

/// <summary>What the loss ledger of one silo answers.</summary>
[GenerateSerializer, Immutable, Alias("broker.drop-report")]
public sealed record DropReport
{
    /// <summary>Messages dropped since the silo's start, by reason; complete.</summary>
    [Id(0)]
    public required Dictionary<string, long> Counts { get; init; }

    /// <summary>What the question asked for, the latest first.</summary>
    [Id(1)]
    public required DropTotal[] Totals { get; init; }

    /// <summary>Drops that are in <see cref="Counts"/> and whose client and topic are not remembered any more.</summary>
    [Id(2)]
    public long Forgotten { get; init; }

    /// <summary>Whether there may be more than the limit let through.</summary>
    [Id(3)]
    public bool HasMore { get; init; }
}
