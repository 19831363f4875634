using System.Buffers.Binary;
using System.Text;

namespace Broker.Protocol;

/// <summary>Reads the fields of a packet in one piece. The first field that is not there or not valid is remembered; what
/// is read after it is empty, so a decoder checks once at its end.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public ProtocolViolation? Violation { get; private set; }

    public readonly int Remaining => _rest.Length;

    public readonly bool IsOk => Violation is null;

    public void Fail(ProtocolViolation violation)
    {
        Violation ??= violation;
        _rest = [];
    }

    public byte Byte()
    {
        if (_rest.IsEmpty)
        {
            Fail(Protocol.Violation.Truncated);
            return 0;
        }

        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public ushort UInt16() => Take(2) is { IsEmpty: false } field ? BinaryPrimitives.ReadUInt16BigEndian(field) : (ushort)0;

    public uint UInt32() => Take(4) is { IsEmpty: false } field ? BinaryPrimitives.ReadUInt32BigEndian(field) : 0;

    /// <summary>Variable Byte Integer (section 1.5.5).</summary>
    public int VariableInteger()
    {
        var value = 0;
        for (var i = 0; i < 4; i++)
        {
            if (i >= _rest.Length)
            {
                Fail(Protocol.Violation.Truncated);
                return 0;
            }

            value |= (_rest[i] & 0x7F) << (7 * i);
            if ((_rest[i] & 0x80) == 0)
            {
                if (i > 0 && _rest[i] == 0)
                {
                    break;
                }

                _rest = _rest[(i + 1)..];
                return value;
            }
        }

        Fail(Protocol.Violation.BadInteger);
        return 0;
    }

    /// <summary>Binary Data: two bytes of length, then as many. Topics cannot be longer than that either [MQTT-4.7.3-3].</summary>
    public ReadOnlySpan<byte> Binary()
    {
        var length = UInt16();
        return length == 0 ? [] : Take(length);
    }

    /// <summary>UTF-8 Encoded String, checked, still encoded.</summary>
    public ReadOnlySpan<byte> Utf8()
    {
        var text = Binary();
        if (!Utf8Rules.IsValid(text))
        {
            Fail(Protocol.Violation.BadUtf8);
        }

        return text;
    }

    public string Text()
    {
        var text = Utf8();
        return IsOk ? Encoding.UTF8.GetString(text) : "";
    }

    /// <summary>Packet Identifier, never 0 [MQTT-2.2.1-3].</summary>
    public ushort PacketId()
    {
        var value = UInt16();
        if (IsOk && value == 0)
        {
            Fail(Protocol.Violation.PacketIdZero);
        }

        return value;
    }

    public ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            Fail(Protocol.Violation.Truncated);
            return [];
        }

        var field = _rest[..length];
        _rest = _rest[length..];
        return field;
    }

    /// <summary>Everything that is left.</summary>
    public ReadOnlySpan<byte> Rest() => Take(_rest.Length);

    /// <summary>Fails when anything is left.</summary>
    public void End()
    {
        if (!_rest.IsEmpty)
        {
            Fail(Protocol.Violation.TrailingBytes);
        }
    }
}
