using System.Globalization;

namespace Broker.Grains.Messages;

/// <summary>
/// Global message id, 128 bits, time-ordered: microseconds since 1970 : 64 | node : 16 | publisher : 32 | sequence : 16.
/// It follows a QoS 1 or 2 message from end to end: logs, traces, admin API, de-duplication.
/// </summary>
public readonly record struct MessageId(ulong High, ulong Low) : IComparable<MessageId>
{
    /// <summary>Size of the big-endian form.</summary>
    public const int ByteCount = 16;

    /// <summary>No message.</summary>
    public static MessageId None => default;

    /// <summary>When the broker accepted the message, in microseconds since 1970.</summary>
    public ulong TimestampMicroseconds => High;

    /// <summary>Number of the silo that accepted the message.</summary>
    public ushort Node => (ushort)(Low >> 48);

    /// <inheritdoc />
    public int CompareTo(MessageId other)
    {
        var byTime = High.CompareTo(other.High);
        return byTime != 0 ? byTime : Low.CompareTo(other.Low);
    }

    public static bool operator <(MessageId left, MessageId right) => left.CompareTo(right) < 0;

    public static bool operator >(MessageId left, MessageId right) => left.CompareTo(right) > 0;

    public static bool operator <=(MessageId left, MessageId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(MessageId left, MessageId right) => left.CompareTo(right) >= 0;

    /// <summary>Reads what <see cref="ToString"/> writes, in either case.</summary>
    public static bool TryParse(string text, out MessageId id)
    {
        id = None;
        if (text.Length != ByteCount * 2
            || !ulong.TryParse(text.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !ulong.TryParse(text.AsSpan(16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low))
        {
            return false;
        }

        id = new MessageId(high, low);
        return true;
    }

    /// <summary>32 hexadecimal digits, most significant first.</summary>
    public override string ToString() => $"{High:x16}{Low:x16}";
}
