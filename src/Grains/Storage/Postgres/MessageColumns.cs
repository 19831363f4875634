using Broker.Grains.Messages;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <summary>The seven array parameters of a message, in the order of <see cref="PostgresRows.MessageNames"/>.</summary>
internal sealed class MessageColumns(PostgresStatement statement)
{
    private readonly List<Guid> _ids = statement.Array<Guid>(NpgsqlDbType.Uuid);
    private readonly List<short> _flags = statement.Array<short>(NpgsqlDbType.Smallint);
    private readonly List<long?> _expiries = statement.Array<long?>(NpgsqlDbType.Bigint);
    private readonly List<string> _publishers = statement.Array<string>(NpgsqlDbType.Text);
    private readonly List<int> _topicLengths = statement.Array<int>(NpgsqlDbType.Integer);
    private readonly List<int> _propertiesLengths = statement.Array<int>(NpgsqlDbType.Integer);
    private readonly List<ReadOnlyMemory<byte>> _bodies = statement.Array<ReadOnlyMemory<byte>>(NpgsqlDbType.Bytea);

    public void Add(ApplicationMessage message)
    {
        _ids.Add(PostgresRows.Id(message.Id));
        _flags.Add(PostgresRows.Flags(message));
        _expiries.Add(PostgresRows.Expiry(message.ExpiresAt));
        _publishers.Add(message.Publisher);
        _topicLengths.Add(message.TopicLength);
        _propertiesLengths.Add(message.PropertiesLength);
        _bodies.Add(message.Bytes);
        statement.IsUsed = true;
    }
}
