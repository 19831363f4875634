using System.Text;

namespace Broker.TestKit.Wire;

/// <summary>Will Message of a CONNECT.</summary>
public sealed record Will(string Topic, byte[] Payload, int Qos = 0, bool Retain = false)
{
    public Will(string topic, string payload, int qos = 0, bool retain = false)
        : this(topic, Encoding.UTF8.GetBytes(payload), qos, retain)
    {
    }

    public PropertyCollection Properties { get; init; } = [];
}
