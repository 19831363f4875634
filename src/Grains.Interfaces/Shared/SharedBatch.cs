using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Interfaces.Shared;

/// <summary>
/// What one silo tells another about groups of shared subscriptions, in one call: its members of groups that are there, what
/// it lends to members there, and what has become of what was lent to it. Handled in this order.
/// </summary>
[GenerateSerializer, Immutable, Alias("broker.shared.batch")]
public sealed record SharedBatch
{
    /// <summary>The edge, made up anew by each life of its source.</summary>
    [Id(0)]
    public required Guid Edge { get; init; }

    /// <summary>Ascending by one from 1.</summary>
    [Id(1)]
    public required long Number { get; init; }

    /// <summary>Silo that tells.</summary>
    [Id(2)]
    public required SiloAddress Origin { get; init; }

    /// <summary>Members, by group.</summary>
    [Id(3)]
    public SharedMembers[] Members { get; init; } = [];

    /// <summary>Ends of loans.</summary>
    [Id(4)]
    public SharedSettlement[] Settlements { get; init; } = [];

    /// <summary>Messages that are lent.</summary>
    [Id(5)]
    public SharedLoan[] Loans { get; init; } = [];

    /// <summary>The messages of <see cref="Loans"/>, in their order.</summary>
    [Id(6)]
    public MessageBatch? Messages { get; init; }
}

/// <summary>The answer.</summary>
[GenerateSerializer, Immutable, Alias("broker.shared.answer")]
public sealed record SharedAnswer
{
    /// <summary>Nothing to say.</summary>
    public static SharedAnswer Empty { get; } = new();

    /// <summary>Groups of <see cref="SharedBatch.Members"/> that are not on the silo.</summary>
    [Id(0)]
    public long[] Unknown { get; init; } = [];
}
