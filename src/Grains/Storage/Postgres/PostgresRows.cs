using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Broker.Grains.Messages;
using Broker.Protocol;
using Npgsql;

namespace Broker.Grains.Storage.Postgres;

/// <summary>How rows become columns and back.</summary>
internal static class PostgresRows
{
    /// <summary>Columns of a message in the order of <see cref="ReadMessage"/> and <see cref="MessageColumns"/>.</summary>
    public const string MessageNames = "id, flags, expires_at, publisher, topic_length, properties_length, body";

    /// <summary>Columns of a session in the order of <see cref="ReadSession"/>.</summary>
    public const string SessionNames = "number, client_id, epoch, expiry_interval, expires_at, created_at, version, sent_up_to";

    private const int QosMask = 3;
    private const int RetainFlag = 4;
    private const int ReleasedFlag = 8;

    // The longest short text that is encoded on the stack.
    private const int StackBytes = 512;

    /// <summary>Key of a text that may be too long for an index: the first 16 bytes of its SHA-256.</summary>
    public static Guid Key(string text)
    {
        Span<byte> buffer = stackalloc byte[StackBytes];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (Encoding.UTF8.TryGetBytes(text, buffer, out var length))
        {
            SHA256.HashData(buffer[..length], hash);
        }
        else
        {
            SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        }

        return new Guid(hash[..16], bigEndian: true);
    }

    public static Guid Id(MessageId id)
    {
        Span<byte> bytes = stackalloc byte[MessageId.ByteCount];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, id.High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], id.Low);
        return new Guid(bytes, bigEndian: true);
    }

    public static Guid? NullableId(MessageId id) => id == MessageId.None ? null : Id(id);

    public static short Flags(ApplicationMessage message) => (short)((int)message.Qos | (message.Retain ? RetainFlag : 0));

    public static short Flags(in DeliveryRow row) =>
        (short)((int)row.Qos | (row.Retain ? RetainFlag : 0) | (row.Released ? ReleasedFlag : 0));

    public static long? Expiry(long expiresAt) => expiresAt == long.MaxValue ? null : expiresAt;

    /// <summary>Four bytes each, little-endian; null when there are none.</summary>
    public static byte[]? Identifiers(uint[] identifiers)
    {
        if (identifiers.Length == 0)
        {
            return null;
        }

        var bytes = new byte[identifiers.Length * sizeof(uint)];
        for (var i = 0; i < identifiers.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)), identifiers[i]);
        }

        return bytes;
    }

    /// <summary>Reads seven columns from <paramref name="first"/> on.</summary>
    public static ApplicationMessage ReadMessage(NpgsqlDataReader row, int first)
    {
        var flags = row.GetInt16(first + 1);
        return new ApplicationMessage(
            row.GetFieldValue<byte[]>(first + 6), row.GetInt32(first + 4), row.GetInt32(first + 5))
        {
            Id = ReadId(row, first),
            Qos = (QualityOfService)(flags & QosMask),
            Retain = (flags & RetainFlag) != 0,
            ExpiresAt = NullableInt64(row, first + 2) ?? long.MaxValue,
            Publisher = row.GetString(first + 3),
        };
    }

    public static MessageId ReadId(NpgsqlDataReader row, int column)
    {
        Span<byte> id = stackalloc byte[MessageId.ByteCount];
        row.GetGuid(column).TryWriteBytes(id, bigEndian: true, out _);
        return new MessageId(BinaryPrimitives.ReadUInt64BigEndian(id), BinaryPrimitives.ReadUInt64BigEndian(id[8..]));
    }

    public static MessageId ReadNullableId(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? MessageId.None : ReadId(row, column);

    /// <summary>Reads client_id, delay_interval, publish_at and the message from column 0 on.</summary>
    public static WillRow ReadWill(NpgsqlDataReader row) => new(
        row.GetString(0), ReadMessage(row, 3), (uint)row.GetInt64(1), NullableInt64(row, 2));

    /// <summary>Reads topic, number and the message from column 0 on.</summary>
    public static RetainedRow ReadRetained(NpgsqlDataReader row) => new(row.GetString(0), row.GetInt64(1), ReadMessage(row, 2));

    /// <summary>Reads session, sequence, message, size, flags, expires_at, identifiers, in_doubt from column 0 on.</summary>
    public static DeliveryRow ReadDelivery(NpgsqlDataReader row)
    {
        var flags = row.GetInt16(4);
        return new DeliveryRow(
            row.GetInt64(0),
            row.GetInt64(1),
            row.GetInt64(2),
            row.GetInt32(3),
            (QualityOfService)(flags & QosMask),
            (flags & RetainFlag) != 0,
            (flags & ReleasedFlag) != 0,
            NullableInt64(row, 5) ?? long.MaxValue,
            row.IsDBNull(6) ? [] : ReadIdentifiers(row.GetFieldValue<byte[]>(6)))
        {
            InDoubt = ReadNullableId(row, 7),
        };
    }

    public static SessionRow ReadSession(NpgsqlDataReader row) => new(
        row.GetInt64(0),
        row.GetString(1),
        row.GetInt64(2),
        (uint)row.GetInt64(3),
        NullableInt64(row, 4),
        row.GetInt64(5),
        (ProtocolVersion)row.GetInt16(6),
        NullableInt64(row, 7));

    public static long? NullableInt64(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    private static uint[] ReadIdentifiers(byte[] bytes)
    {
        var identifiers = new uint[bytes.Length / sizeof(uint)];
        for (var i = 0; i < identifiers.Length; i++)
        {
            identifiers[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)));
        }

        return identifiers;
    }
}
