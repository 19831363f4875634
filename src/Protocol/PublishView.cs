using System.Buffers;

namespace Broker.Protocol;

/// <summary>A PUBLISH as received, checked, pointing into the input.</summary>
public ref struct PublishView
{
    /// <summary>Topic Name, UTF-8; empty when a Topic Alias stands for it.</summary>
    public ReadOnlySpan<byte> Topic { get; internal set; }

    public ReadOnlySequence<byte> Payload { get; internal set; }

    /// <summary>
    /// Properties that are forwarded, encoded as received and in order, without their length: all but Topic Alias and
    /// Message Expiry Interval (and Subscription Identifier, which a client must not send). So these are forwarded unchanged: Payload
    /// Format Indicator [MQTT-3.3.2-4], Response Topic [MQTT-3.3.2-15], Correlation Data [MQTT-3.3.2-16], Content Type [MQTT-3.3.2-20],
    /// User Properties [MQTT-3.3.2-17] in their order [MQTT-3.3.2-18].
    /// </summary>
    public ReadOnlySpan<byte> Properties { get; internal set; }

    /// <summary>0 for QoS 0.</summary>
    public ushort PacketId { get; internal set; }

    public QualityOfService Qos { get; internal set; }

    public bool Retain { get; internal set; }

    public bool Dup { get; internal set; }

    /// <summary>0 when there is none.</summary>
    public ushort TopicAlias { get; internal set; }

    public bool HasMessageExpiry { get; internal set; }

    /// <summary>Seconds.</summary>
    public uint MessageExpiryInterval { get; internal set; }

    /// <summary>Payload Format Indicator is 1: the payload is said to be UTF-8.</summary>
    public bool PayloadIsUtf8 { get; internal set; }
}
