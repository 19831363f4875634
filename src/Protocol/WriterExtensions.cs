using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Broker.Protocol;

/// <summary>Writes the field types of MQTT (section 1.5).</summary>
internal static class WriterExtensions
{
    public static void WriteByte(this IBufferWriter<byte> writer, byte value)
    {
        writer.GetSpan(1)[0] = value;
        writer.Advance(1);
    }

    public static void WriteUInt16(this IBufferWriter<byte> writer, ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(writer.GetSpan(2), value);
        writer.Advance(2);
    }

    public static void WriteVariableInteger(this IBufferWriter<byte> writer, int value) =>
        writer.Advance(VariableByteInteger.Write(writer.GetSpan(VariableByteInteger.MaximumLength), value));

    public static void WriteBinary(this IBufferWriter<byte> writer, ReadOnlySpan<byte> value)
    {
        writer.WriteUInt16((ushort)value.Length);
        writer.Write(value);
    }

    public static void WriteText(this IBufferWriter<byte> writer, string value) => writer.WriteBinary(Encoding.UTF8.GetBytes(value));

    /// <summary>Writes a packet whose body is at hand: fixed header, then body.</summary>
    public static void WritePacket(this IBufferWriter<byte> writer, PacketType type, byte flags, ReadOnlySpan<byte> body)
    {
        writer.WriteByte((byte)(((int)type << 4) | flags));
        writer.WriteVariableInteger(body.Length);
        writer.Write(body);
    }
}
