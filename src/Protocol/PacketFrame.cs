using System.Buffers;

namespace Broker.Protocol;

/// <summary>One packet as it stands in the input: first byte and body, neither decoded nor copied.</summary>
public readonly ref struct PacketFrame(byte firstByte, ReadOnlySequence<byte> body)
{
    /// <summary>Packet type and flags.</summary>
    public byte FirstByte { get; } = firstByte;

    public PacketType Type => (PacketType)(FirstByte >> 4);

    /// <summary>Lower four bits of the first byte.</summary>
    public byte Flags => (byte)(FirstByte & 0x0F);

    /// <summary>
    /// The flags, in MQTT 3.1 without DUP: there PUBREL, SUBSCRIBE and UNSUBSCRIBE carry it when they are sent again (3.1
    /// section 2.1).
    /// </summary>
    internal byte FlagsWithoutDup(ProtocolVersion version) => (byte)(version == ProtocolVersion.Mqtt31 ? Flags & ~0x08 : Flags);

    /// <summary>Variable header and payload.</summary>
    public ReadOnlySequence<byte> Body { get; } = body;

    /// <summary>The body in one piece: where it stands when it does stand in one, else copied.</summary>
    internal ReadOnlySpan<byte> Contiguous() => Body.IsSingleSegment ? Body.FirstSpan : Body.ToArray();
}
