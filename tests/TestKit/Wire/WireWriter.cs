using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Broker.TestKit.Wire;

/// <summary>Appends the data types of MQTT 5.0 section 1.5 to a growing buffer.</summary>
public sealed class WireWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public WireWriter Byte(int value)
    {
        _bytes.Write([(byte)value]);
        return this;
    }

    public WireWriter Short(int value) => Byte(value >> 8).Byte(value);

    public WireWriter Int(uint value)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(four, value);
        _bytes.Write(four);
        return this;
    }

    /// <summary>Variable Byte Integer (MQTT 5.0 section 1.5.5).</summary>
    public WireWriter VarInt(uint value)
    {
        while (value > 0x7F)
        {
            Byte((int)(value & 0x7F) | 0x80);
            value >>= 7;
        }

        return Byte((int)value);
    }

    public WireWriter Raw(ReadOnlySpan<byte> value)
    {
        _bytes.Write(value);
        return this;
    }

    public WireWriter Binary(ReadOnlySpan<byte> value) => Short(value.Length).Raw(value);

    public WireWriter Text(string value) => Binary(Encoding.UTF8.GetBytes(value));

    public WireWriter Properties(PropertyCollection? properties)
    {
        var body = new WireWriter();
        foreach (var (id, value) in properties ?? [])
        {
            body.Byte((int)id);
            body.PropertyValue(id, value);
        }

        var bytes = body.ToArray();
        return VarInt((uint)bytes.Length).Raw(bytes);
    }

    /// <summary>Everything written so far as one packet: fixed header, Remaining Length, body.</summary>
    public byte[] ToPacket(int firstByte)
    {
        var body = ToArray();
        return new WireWriter().Byte(firstByte).VarInt((uint)body.Length).Raw(body).ToArray();
    }

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    private void PropertyValue(Prop id, object value)
    {
        _ = value switch
        {
            string text => Text(text),
            byte[] binary => Binary(binary),
            (string name, string text) => Text(name).Text(text),
            uint number when id == Prop.SubscriptionIdentifier => VarInt(number),
            uint number => PropertySize.Of(id) switch
            {
                1 => Byte((int)number),
                2 => Short((int)number),
                _ => Int(number),
            },
            _ => throw new ArgumentException($"{id} cannot be a {value.GetType().Name}", nameof(value)),
        };
    }
}
