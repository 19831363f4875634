using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Broker.Protocol;

/// <summary>CONNACK (MQTT section 3.2).</summary>
public sealed record ConnAckPacket
{
    public bool SessionPresent { get; init; }

    public ReasonCode Reason { get; init; }

    /// <summary>Seconds; null when it is what the client asked for.</summary>
    public uint? SessionExpiryInterval { get; init; }

    public ushort? ReceiveMaximum { get; init; }

    /// <summary>Null when QoS 2 is supported.</summary>
    public QualityOfService? MaximumQos { get; init; }

    public bool? RetainAvailable { get; init; }

    public uint? MaximumPacketSize { get; init; }

    public string? AssignedClientIdentifier { get; init; }

    public ushort? TopicAliasMaximum { get; init; }

    public string? ReasonString { get; init; }

    public bool? WildcardSubscriptionAvailable { get; init; }

    public bool? SubscriptionIdentifiersAvailable { get; init; }

    public bool? SharedSubscriptionAvailable { get; init; }

    /// <summary>Seconds; null for the client's own.</summary>
    public ushort? ServerKeepAlive { get; init; }

    public string? ResponseInformation { get; init; }

    public string? ServerReference { get; init; }

    public string? AuthenticationMethod { get; init; }

    public byte[]? AuthenticationData { get; init; }

    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary><code>acknowledge flags | reason or return code | properties (5.0)</code></summary>
    public static bool TryDecode(
        in PacketFrame frame, ProtocolVersion version,
        [NotNullWhen(true)] out ConnAckPacket? packet, [NotNullWhen(false)] out ProtocolViolation? violation)
    {
        var reader = new ByteReader(frame.Contiguous());
        var flags = reader.Byte();
        if (frame.Flags != 0 || (flags & ~1) != 0)
        {
            reader.Fail(Violation.Flags);
        }

        var code = reader.Byte();
        var isV5 = version == ProtocolVersion.Mqtt5;
        var p = isV5 ? PropertySet.Read(ref reader, Packets.ConnAck) : new PropertySet();
        reader.End();
        violation = reader.Violation;
        packet = violation is not null ? null : new ConnAckPacket
        {
            SessionPresent = flags == 1,
            Reason = isV5 ? (ReasonCode)code : ReturnCodes.ToReason(code),
            SessionExpiryInterval = p.Number(PropertyId.SessionExpiryInterval),
            ReceiveMaximum = (ushort?)p.Number(PropertyId.ReceiveMaximum),
            MaximumQos = (QualityOfService?)p.Number(PropertyId.MaximumQos),
            RetainAvailable = p.Flag(PropertyId.RetainAvailable),
            MaximumPacketSize = p.Number(PropertyId.MaximumPacketSize),
            AssignedClientIdentifier = p.Text(PropertyId.AssignedClientIdentifier),
            TopicAliasMaximum = (ushort?)p.Number(PropertyId.TopicAliasMaximum),
            ReasonString = p.Text(PropertyId.ReasonString),
            WildcardSubscriptionAvailable = p.Flag(PropertyId.WildcardSubscriptionAvailable),
            SubscriptionIdentifiersAvailable = p.Flag(PropertyId.SubscriptionIdentifierAvailable),
            SharedSubscriptionAvailable = p.Flag(PropertyId.SharedSubscriptionAvailable),
            ServerKeepAlive = (ushort?)p.Number(PropertyId.ServerKeepAlive),
            ResponseInformation = p.Text(PropertyId.ResponseInformation),
            ServerReference = p.Text(PropertyId.ServerReference),
            AuthenticationMethod = p.Text(PropertyId.AuthenticationMethod),
            AuthenticationData = p.Bytes(PropertyId.AuthenticationData),
            UserProperties = p.Users,
        };
        return packet is not null;
    }

    /// <summary>Writes the packet; 3.x gets the return code that is nearest to the reason.</summary>
    public void Write(IBufferWriter<byte> writer, ProtocolVersion version)
    {
        var body = new ArrayBufferWriter<byte>();

        // Bit 0 only [MQTT-3.2.2-1]; MQTT 3.1 has none.
        body.WriteByte((byte)(SessionPresent && version != ProtocolVersion.Mqtt31 ? 1 : 0));
        if (version == ProtocolVersion.Mqtt5)
        {
            body.WriteByte((byte)Reason);
            Properties().Write(body);
        }
        else
        {
            body.WriteByte(ReturnCodes.FromReason(Reason));
        }

        writer.WritePacket(PacketType.ConnAck, 0, body.WrittenSpan);
    }

    private PropertySet Properties() => new PropertySet()
        .Set(PropertyId.SessionExpiryInterval, SessionExpiryInterval)
        .Set(PropertyId.ReceiveMaximum, (uint?)ReceiveMaximum)
        .Set(PropertyId.MaximumQos, (uint?)MaximumQos)
        .Set(PropertyId.RetainAvailable, RetainAvailable)
        .Set(PropertyId.MaximumPacketSize, MaximumPacketSize)
        .Set(PropertyId.AssignedClientIdentifier, AssignedClientIdentifier)
        .Set(PropertyId.TopicAliasMaximum, (uint?)TopicAliasMaximum)
        .Set(PropertyId.ReasonString, ReasonString)
        .Set(PropertyId.WildcardSubscriptionAvailable, WildcardSubscriptionAvailable)
        .Set(PropertyId.SubscriptionIdentifierAvailable, SubscriptionIdentifiersAvailable)
        .Set(PropertyId.SharedSubscriptionAvailable, SharedSubscriptionAvailable)
        .Set(PropertyId.ServerKeepAlive, (uint?)ServerKeepAlive)
        .Set(PropertyId.ResponseInformation, ResponseInformation)
        .Set(PropertyId.ServerReference, ServerReference)
        .Set(PropertyId.AuthenticationMethod, AuthenticationMethod)
        .Set(PropertyId.AuthenticationData, AuthenticationData)
        .Set(UserProperties);
}
