using Broker.Grains.Diagnostics;

namespace Broker.Grains.Hooks;

/// <summary><c>message.dropped</c>: messages were dropped for good; the loss ledger has them as well.</summary>
public sealed record MessageDropped : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.MessageDropped;

    /// <summary>Topic name.</summary>
    public required string Topic { get; init; }

    /// <summary>Why.</summary>
    public required DropReason Reason { get; init; }

    /// <summary>How many.</summary>
    public int Count { get; init; }

    /// <summary>Message id; null for QoS 0.</summary>
    public string? MessageId { get; init; }
}
