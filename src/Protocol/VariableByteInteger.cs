namespace Broker.Protocol;

/// <summary>Variable Byte Integer (MQTT 5.0 section 1.5.5).</summary>
internal static class VariableByteInteger
{
    /// <summary>Bytes of the longest form.</summary>
    public const int MaximumLength = 4;

    /// <summary>Largest value.</summary>
    public const int Maximum = 268_435_455;

    /// <summary>Bytes that a value takes.</summary>
    public static int Length(long value) => value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;

    /// <summary>Writes the shortest form [MQTT-1.5.5-1] and returns its length.</summary>
    public static int Write(Span<byte> destination, int value)
    {
        var at = 0;
        while (value > 0x7F)
        {
            destination[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[at++] = (byte)value;
        return at;
    }
}
