using System.Text;

namespace Broker.TestKit.Wire;

/// <summary>Everything a PUBLISH can say.</summary>
public sealed record PublishOptions(string Topic, byte[] Payload)
{
    public PublishOptions(string topic, string payload)
        : this(topic, Encoding.UTF8.GetBytes(payload))
    {
    }

    public int Qos { get; init; }

    public ushort PacketId { get; init; }

    public bool Retain { get; init; }

    public bool Dup { get; init; }

    public PropertyCollection Properties { get; init; } = [];
}
