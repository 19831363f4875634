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

    /// <summary>32 hexadecimal digits, most significant first.</summary>
    public override string ToString() => $"{High:x16}{Low:x16}";
}
