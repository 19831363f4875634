namespace Broker.Grains.Hooks;

/// <summary><c>message.acked</c>: a client has sent PUBACK, or PUBREC of QoS 2, without an error: the message is its own.</summary>
public sealed record MessageAcked : BrokerEvent
{
    /// <inheritdoc />
    public override BrokerEventKind Kind => BrokerEventKind.MessageAcked;

    /// <summary>Topic name.</summary>
    public required string Topic { get; init; }

    public int Qos { get; init; }

    /// <summary>Packet Identifier towards the client.</summary>
    public int PacketId { get; init; }

    /// <summary>Message id.</summary>
    public string? MessageId { get; init; }
}
