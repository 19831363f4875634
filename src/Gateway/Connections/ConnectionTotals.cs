using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>What the connections of this silo have received and sent since its start.</summary>
internal sealed class ConnectionTotals
{
    /// <summary>Four bits of the fixed header.</summary>
    public const int PacketTypes = 16;

    /// <summary>QoS 0, 1 and 2.</summary>
    public const int QosLevels = 3;

    public long BytesReceived { get; set; }

    public long BytesSent { get; set; }

    /// <summary>Packets by <see cref="PacketType"/>.</summary>
    public long[] Received { get; } = new long[PacketTypes];

    /// <summary>Packets by <see cref="PacketType"/>.</summary>
    public long[] Sent { get; } = new long[PacketTypes];

    /// <summary>PUBLISH received, by QoS.</summary>
    public long[] Published { get; } = new long[QosLevels];

    /// <summary>PUBLISH sent, by QoS.</summary>
    public long[] Delivered { get; } = new long[QosLevels];
}
