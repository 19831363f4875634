using Broker.Protocol;

namespace Broker.Gateway.Embedding;

/// <summary>A message that an application publishes.</summary>
public sealed record MqttMessage
{
    /// <summary>Topic name: no wildcards, within <c>Broker:Limits</c>.</summary>
    public required string Topic { get; init; }

    /// <summary>Application payload; copied.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>From QoS 1 on, the publish completes when the message is with every durable subscriber or in the store for it.</summary>
    public QualityOfService Qos { get; init; }

    /// <summary>Whether it is kept as the topic's last message.</summary>
    public bool Retain { get; init; }

    /// <summary>How long it is worth delivering; null for ever.</summary>
    public TimeSpan? Expiry { get; init; }

    /// <summary>MQTT 5.0 properties.</summary>
    public PublishProperties Properties { get; init; } = new();
}
