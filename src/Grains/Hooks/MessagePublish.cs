namespace Broker.Grains.Hooks;

/// <summary><c>message.publish</c>: a message of a client is about to be routed.</summary>
public sealed record MessagePublish : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.MessagePublish;

    /// <summary>Topic name.</summary>
    public required string Topic { get; init; }

    /// <summary>Application payload. Not to be written to.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    public int Qos { get; init; }

    public bool Retain { get; init; }

    /// <summary>Message id; null for QoS 0.</summary>
    public string? MessageId { get; init; }
}
