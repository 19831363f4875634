namespace Broker.Protocol;

/// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT sections 3.4 to 3.7).</summary>
/// <param name="Reason">Always <see cref="ReasonCode.Success"/> in 3.x, which has no reason codes here.</param>
public readonly record struct AckPacket(PacketType Type, ushort PacketId, ReasonCode Reason = ReasonCode.Success)
{
    /// <summary>MQTT 5.0: text for people; null for none.</summary>
    public string? ReasonString { get; init; }

    /// <summary>MQTT 5.0; null for none.</summary>
    public IReadOnlyList<UserProperty>? UserProperties { get; init; }
}
