namespace Broker.Grains.Hooks;

/// <summary><c>message.delivered</c>: a PUBLISH has been written to a client.</summary>
public sealed record MessageDelivered : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.MessageDelivered;

    /// <summary>Topic name.</summary>
    public required string Topic { get; init; }

    public int Qos { get; init; }

    /// <summary>Packet Identifier towards the client; 0 for QoS 0.</summary>
    public int PacketId { get; init; }

    /// <summary>Message id; null for QoS 0.</summary>
    public string? MessageId { get; init; }
}
