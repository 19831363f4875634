namespace Broker.Grains.Interfaces.Topics;

/// <summary>
/// Messages on their way between silos: encoded once, forwarded as they are. The layout of <see cref="Bytes"/> belongs to
/// the codec; a silo that only forwards never looks inside.
/// </summary>
[GenerateSerializer, Immutable, Alias("broker.batch")]
public sealed record MessageBatch
{
    /// <summary>Silo that accepted the messages and has delivered them to its own sessions; null when there is none.</summary>
    [Id(0)]
    public SiloAddress? Origin { get; init; }

    /// <summary>Number of messages in <see cref="Bytes"/>.</summary>
    [Id(1)]
    public required int Count { get; init; }

    /// <summary>
    /// A dead silo that the messages were meant for: only sessions that were its own get them, unless they had them there.
    /// </summary>
    [Id(2)]
    public SiloAddress? RecoveredFrom { get; init; }

    /// <summary>Dead silos for which everything that <see cref="Origin"/> had for them has gone before.</summary>
    [Id(4)]
    public SiloAddress[] Settled { get; init; } = [];

    /// <summary>
    /// Whether publishers have published the messages before, under the same ids, through a silo that is dead now or that
    /// they have left: sessions that have them already do not get them again.
    /// </summary>
    [Id(5)]
    public bool IsRepeat { get; init; }

    /// <summary>The messages, one after the other. Never changed after construction.</summary>
    [Id(3)]
    public required byte[] Bytes { get; init; }
}
