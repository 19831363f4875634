using Broker.Grains.Messages;
using Npgsql;

namespace Broker.Grains.Storage.Postgres;

/// <summary>Loads of sessions and messages, each one statement and so one snapshot.</summary>
internal sealed class PostgresReader : IDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly PostgresSessionTable _known;
    private readonly Gathering<long, List<DeliveryRow>> _deliveries;
    private readonly Gathering<long, List<InboundRow>> _inbound;

    // A load waits here rather than in the pool, where it would time out.
    private readonly SemaphoreSlim _free;

    public PostgresReader(NpgsqlDataSource source, PostgresSessionTable known, int readers)
    {
        (_source, _known, _free) = (source, known, new SemaphoreSlim(readers));
        _deliveries = SessionLoads.Gather(DeliveriesAsync, readers);
        _inbound = SessionLoads.Gather(InboundIdsAsync, readers);
    }

    public async Task<SessionRow?> SessionAsync(string clientId, CancellationToken cancellationToken)
    {
        var rows = await LoadAsync(
            $"SELECT {PostgresRows.SessionNames} FROM broker_session WHERE client_id = $1",
            clientId,
            PostgresRows.ReadSession,
            cancellationToken);
        if (rows.Count == 0)
        {
            return null;
        }

        _known.Observed(rows[0].Number, rows[0].Epoch);
        return rows[0];
    }

    public Task<List<DeliveryRow>> DeliveriesAsync(long session, CancellationToken cancellationToken) =>
        _deliveries.AskAsync(session).WaitAsync(cancellationToken);

    public Task<List<InboundRow>> InboundIdsAsync(long session, CancellationToken cancellationToken) =>
        _inbound.AskAsync(session).WaitAsync(cancellationToken);

    public async Task<Dictionary<long, ApplicationMessage>> MessagesAsync(
        IReadOnlyList<long> numbers, CancellationToken cancellationToken)
    {
        var rows = await LoadAsync(
            $"SELECT number, {PostgresRows.MessageNames} FROM broker_message WHERE number = ANY ($1)",
            numbers as long[] ?? [.. numbers],
            row => (Number: row.GetInt64(0), Message: PostgresRows.ReadMessage(row, 1)),
            cancellationToken);
        return rows.ToDictionary(row => row.Number, row => row.Message);
    }

    public async Task<Dictionary<long, (MessageId Id, byte[] Topic)>> TopicsAsync(IReadOnlyList<long> numbers, CancellationToken cancellationToken)
    {
        var rows = await LoadAsync(
            "SELECT number, substring(body FROM 1 FOR topic_length), id FROM broker_message WHERE number = ANY ($1)",
            numbers as long[] ?? [.. numbers],
            static row => (Number: row.GetInt64(0), Topic: row.GetFieldValue<byte[]>(1), Id: PostgresRows.ReadId(row, 2)),
            cancellationToken);
        return rows.ToDictionary(static row => row.Number, static row => (row.Id, row.Topic));
    }

    public Task<List<(byte[] Topic, int Count)>> TopicCountsAsync(long session, CancellationToken cancellationToken) => LoadAsync(
        """
        SELECT substring(m.body FROM 1 FOR m.topic_length), count(*)::int FROM broker_delivery d
        JOIN broker_message m ON m.number = d.message WHERE d.session = $1 GROUP BY 1
        """,
        session,
        static row => (row.GetFieldValue<byte[]>(0), row.GetInt32(1)),
        cancellationToken);

    public Task<List<ItemRow>> ItemsAsync(string kind, CancellationToken cancellationToken) => LoadAsync(
        "SELECT key, rank, value FROM broker_item WHERE kind = $1 ORDER BY key",
        kind,
        row => new ItemRow(kind, row.GetString(0), row.GetInt32(1), row.GetFieldValue<byte[]>(2)),
        cancellationToken);

    public async Task<ItemRow?> ItemAsync(string kind, string key, CancellationToken cancellationToken) => (await LoadAsync(
        "SELECT rank, value FROM broker_item WHERE kind = $1 AND key = $2",
        row => new ItemRow(kind, key, row.GetInt32(0), row.GetFieldValue<byte[]>(1)),
        cancellationToken,
        kind, key)).FirstOrDefault();

    public Task<List<(string ClientId, bool IsReleased, long Sequence)>> DeliveriesOfAsync(MessageId id, CancellationToken cancellationToken) =>
        LoadAsync(
            """
            SELECT s.client_id, d.flags & 8 <> 0, d.sequence FROM broker_message m
            JOIN broker_delivery d ON d.message = m.number JOIN broker_session s ON s.number = d.session WHERE m.id = $1
            """,
            PostgresRows.Id(id),
            static row => (row.GetString(0), row.GetBoolean(1), row.GetInt64(2)),
            cancellationToken);

    public Task OwnDelayedAsync(long owner, CancellationToken cancellationToken) => LoadAsync(
        "UPDATE broker_delayed SET owner = $1", owner, static _ => 0, cancellationToken);

    public async Task<DelayedSummary> DelayedSummaryAsync(long owner, CancellationToken cancellationToken) => (await LoadAsync(
        "SELECT count(*), coalesce(sum(length(body)), 0)::bigint FROM broker_delayed WHERE owner = $1",
        static row => new DelayedSummary(row.GetInt64(0), row.GetInt64(1)),
        cancellationToken,
        owner))[0];

    public Task<List<DelayedKey>> DelayedKeysAsync(
        long owner, long after, long until, int limit, CancellationToken cancellationToken) => LoadAsync(
        """
        SELECT id, due, publisher, length(body), message FROM broker_delayed
        WHERE owner = $1 AND due > $2 AND due <= $3 ORDER BY due, id LIMIT $4
        """,
        static row => new DelayedKey(
            PostgresRows.ReadId(row, 0), row.GetInt64(1), row.GetString(2), row.GetInt32(3), PostgresRows.ReadNullableId(row, 4)),
        cancellationToken,
        owner, after, until, limit);

    public async Task<Dictionary<MessageId, DelayedRow>> DelayedAsync(
        IReadOnlyCollection<MessageId> ids, CancellationToken cancellationToken) => (await LoadAsync(
        $"SELECT due, message, {PostgresRows.MessageNames} FROM broker_delayed WHERE id = ANY ($1)",
        static row => new DelayedRow(row.GetInt64(0), PostgresRows.ReadMessage(row, 2), PostgresRows.ReadNullableId(row, 1)),
        cancellationToken,
        [ids.Select(PostgresRows.Id).ToArray()])).ToDictionary(static row => row.Message.Id);

    public void Dispose() => _free.Dispose();

    private Task<List<(long Session, DeliveryRow Row)>> DeliveriesAsync(long[] sessions) => LoadAsync(
        """
        SELECT session, sequence, message, size, flags, expires_at, identifiers, in_doubt FROM broker_delivery
        WHERE session = ANY ($1) ORDER BY session, sequence
        """,
        sessions,
        static row => (row.GetInt64(0), PostgresRows.ReadDelivery(row)),
        CancellationToken.None);

    private Task<List<(long Session, InboundRow Row)>> InboundIdsAsync(long[] sessions) => LoadAsync(
        "SELECT session, packet_id, message FROM broker_inbound WHERE session = ANY ($1) ORDER BY session, packet_id",
        sessions,
        static row => (row.GetInt64(0), new InboundRow((ushort)row.GetInt32(1), PostgresRows.ReadNullableId(row, 2))),
        CancellationToken.None);

    private Task<List<T>> LoadAsync<T>(
        string sql, object key, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        LoadAsync(sql, read, cancellationToken, key);

    private async Task<List<T>> LoadAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object[] values)
    {
        await _free.WaitAsync(cancellationToken);
        try
        {
            return await _source.ListAsync(sql, read, cancellationToken, values);
        }
        finally
        {
            _free.Release();
        }
    }
}
