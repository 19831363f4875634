using System.Buffers.Binary;
using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>How rows become columns and back.</summary>
internal static class RowCodec
{
    /// <summary>Columns of a message in the order of <see cref="BindMessage"/> and <see cref="ReadMessage"/>.</summary>
    public const string MessageColumns = "id, flags, expires_at, publisher, topic_length, properties_length, body";

    private const int QosMask = 3;
    private const int RetainFlag = 4;
    private const int ReleasedFlag = 8;

    /// <summary>Binds seven parameters from <paramref name="first"/> on.</summary>
    public static SqliteStatement BindMessage(SqliteStatement statement, int first, ApplicationMessage message)
    {
        return BindId(statement, first, message.Id)
            .Bind(first + 1, (int)message.Qos | (message.Retain ? RetainFlag : 0))
            .Bind(first + 2, Expiry(message.ExpiresAt))
            .Bind(first + 3, message.Publisher)
            .Bind(first + 4, message.TopicLength)
            .Bind(first + 5, message.PropertiesLength)
            .Bind(first + 6, message.Bytes.Span);
    }

    /// <summary>Binds an id: 16 bytes, big-endian, so that the file compares them as the program does.</summary>
    public static SqliteStatement BindId(SqliteStatement statement, int parameter, MessageId id)
    {
        Span<byte> bytes = stackalloc byte[MessageId.ByteCount];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, id.High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], id.Low);
        return statement.Bind(parameter, bytes);
    }

    /// <summary>Binds an id, or null where there is none.</summary>
    public static SqliteStatement BindNullableId(SqliteStatement statement, int parameter, MessageId id) =>
        id == MessageId.None ? statement.BindNull(parameter) : BindId(statement, parameter, id);

    /// <summary>Reads an id; none where there is null.</summary>
    public static MessageId ReadNullableId(SqliteStatement statement, int column) =>
        statement.IsNull(column) ? MessageId.None : ReadId(statement, column);

    /// <summary>Reads a message id.</summary>
    public static MessageId ReadId(SqliteStatement statement, int column)
    {
        var id = statement.Blob(column);
        return new MessageId(BinaryPrimitives.ReadUInt64BigEndian(id), BinaryPrimitives.ReadUInt64BigEndian(id[8..]));
    }

    /// <summary>Reads seven columns from <paramref name="first"/> on.</summary>
    public static ApplicationMessage ReadMessage(SqliteStatement statement, int first)
    {
        var messageId = ReadId(statement, first);
        var flags = statement.Int32(first + 1);
        return new ApplicationMessage(
            statement.Blob(first + 6).ToArray(), statement.Int32(first + 4), statement.Int32(first + 5))
        {
            Id = messageId,
            Qos = (QualityOfService)(flags & QosMask),
            Retain = (flags & RetainFlag) != 0,
            ExpiresAt = statement.NullableInt64(first + 2) ?? long.MaxValue,
            Publisher = statement.Text(first + 3),
        };
    }

    /// <summary>Binds seven parameters, from the first on.</summary>
    public static SqliteStatement BindDelivery(SqliteStatement statement, in DeliveryRow row)
    {
        var flags = (int)row.Qos | (row.Retain ? RetainFlag : 0) | (row.Released ? ReleasedFlag : 0);
        statement
            .Bind(1, row.Session)
            .Bind(2, row.Sequence)
            .Bind(3, row.Message)
            .Bind(4, row.Size)
            .Bind(5, flags)
            .Bind(6, Expiry(row.ExpiresAt));
        if (row.SubscriptionIdentifiers.Length == 0)
        {
            return statement.BindNull(7);
        }

        var identifiers = new byte[row.SubscriptionIdentifiers.Length * sizeof(uint)];
        for (var i = 0; i < row.SubscriptionIdentifiers.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(identifiers.AsSpan(i * sizeof(uint)), row.SubscriptionIdentifiers[i]);
        }

        return statement.Bind(7, identifiers);
    }

    /// <summary>Reads sequence, message, size, flags, expires_at, identifiers from column 0 on.</summary>
    public static DeliveryRow ReadDelivery(SqliteStatement statement, long session)
    {
        var flags = statement.Int32(3);
        return new DeliveryRow(
            session,
            statement.Int64(0),
            statement.Int64(1),
            statement.Int32(2),
            (QualityOfService)(flags & QosMask),
            (flags & RetainFlag) != 0,
            (flags & ReleasedFlag) != 0,
            statement.NullableInt64(4) ?? long.MaxValue,
            ReadIdentifiers(statement, 5));
    }

    /// <summary>Reads number, client_id, epoch, expiry_interval, expires_at, created_at, version from column 0 on.</summary>
    public static SessionRow ReadSession(SqliteStatement statement) => new(
        statement.Int64(0),
        statement.Text(1),
        statement.Int64(2),
        (uint)statement.Int64(3),
        statement.NullableInt64(4),
        statement.Int64(5),
        (ProtocolVersion)statement.Int32(6),
        statement.NullableInt64(7));

    private static uint[] ReadIdentifiers(SqliteStatement statement, int column)
    {
        if (statement.IsNull(column))
        {
            return [];
        }

        var blob = statement.Blob(column);
        var identifiers = new uint[blob.Length / sizeof(uint)];
        for (var i = 0; i < identifiers.Length; i++)
        {
            identifiers[i] = BinaryPrimitives.ReadUInt32LittleEndian(blob[(i * sizeof(uint))..]);
        }

        return identifiers;
    }

    private static long? Expiry(long expiresAt) => expiresAt == long.MaxValue ? null : expiresAt;
}
