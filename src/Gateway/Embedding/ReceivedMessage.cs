using System.Text;
using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Gateway.Embedding;

/// <summary>A message that a subscriber of the application has got.</summary>
public sealed class ReceivedMessage
{
    private readonly ApplicationMessage _message;
    private PublishProperties? _properties;

    internal ReceivedMessage(ApplicationMessage message, QualityOfService qos, bool retain, bool dup, ushort packetId)
    {
        _message = message;
        Topic = Encoding.UTF8.GetString(message.Topic);
        Qos = qos;
        Retain = retain;
        MayBeRepeated = dup;
        PacketId = packetId;
    }

    /// <summary>Topic name.</summary>
    public string Topic { get; }

    /// <summary>Application payload; shared with other receivers, not to be written to.</summary>
    public ReadOnlyMemory<byte> Payload => _message.Bytes[(_message.TopicLength + _message.PropertiesLength)..];

    /// <summary>QoS of the delivery: 0 or 1.</summary>
    public QualityOfService Qos { get; }

    /// <summary>Whether it was sent because it is the topic's retained message.</summary>
    public bool Retain { get; }

    /// <summary>Whether this session was handed it before (DUP).</summary>
    public bool MayBeRepeated { get; }

    /// <summary>Global message id, the same for every receiver; <see cref="MessageId.None"/> for QoS 0.</summary>
    public MessageId Id => _message.Id;

    /// <summary>Client Identifier of the publisher.</summary>
    public string Publisher => _message.Publisher;

    /// <summary>MQTT 5.0 properties.</summary>
    public PublishProperties Properties => _properties ??= PublishProperties.Decode(_message.Properties);

    /// <summary>0 for QoS 0.</summary>
    internal ushort PacketId { get; }

    internal ReadOnlySpan<byte> TopicUtf8 => _message.Topic;

    /// <summary>What it counts against byte limits.</summary>
    internal int Size => _message.Size;
}
