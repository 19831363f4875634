namespace Broker.Grains.Storage.Sqlite;

/// <summary>Reads what must be known before the first connection, each table in one scan.</summary>
internal static class SqliteRecovery
{
    public static RecoveredState Load(SqliteDatabase database, SessionTable known, CancellationToken cancellationToken)
    {
        var sessions = All(
            database,
            "SELECT number, client_id, epoch, expiry_interval, expires_at, created_at, version, sent_up_to FROM session",
            RowCodec.ReadSession,
            cancellationToken);
        foreach (var session in sessions)
        {
            known.Put(session.Number, session.Epoch);
        }

        return new RecoveredState(
            LastAlive(database),
            sessions,
            All(database, "SELECT session, filter, options, identifier FROM subscription", ReadSubscription, cancellationToken),
            All(
                database,
                $"SELECT topic, number, {RowCodec.MessageColumns} FROM retained ORDER BY number",
                row => new RetainedRow(row.Text(0), row.Int64(1), RowCodec.ReadMessage(row, 2)),
                cancellationToken),
            All(
                database,
                $"SELECT client_id, delay_interval, publish_at, {RowCodec.MessageColumns} FROM will",
                row => new WillRow(row.Text(0), RowCodec.ReadMessage(row, 3), (uint)row.Int64(1), row.NullableInt64(2)),
                cancellationToken),
            All(
                database,
                "SELECT session, filter, after_number, up_to FROM replay",
                row => new ReplayRow(row.Int64(0), row.Text(1), row.Int64(2), RowCodec.ReadNullableId(row, 3)),
                cancellationToken),
            Queues(database, known, cancellationToken));
    }

    private static SubscriptionRow ReadSubscription(SqliteStatement row) =>
        new(row.Int64(0), row.Text(1), (byte)row.Int32(2), (uint)row.Int64(3));

    private static Dictionary<long, QueueSummary> Queues(
        SqliteDatabase database, SessionTable known, CancellationToken cancellationToken)
    {
        var queues = new Dictionary<long, QueueSummary>();

        // The primary key is in this order: grouping needs no sort.
        using var statement = database.Prepare("SELECT session, count(*), sum(size), max(sequence) FROM delivery GROUP BY session");
        while (statement.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            queues[statement.Int64(0)] = new QueueSummary(statement.Int32(1), statement.Int64(2), statement.Int64(3));
            known.Stored(statement.Int64(0), statement.Int64(3));
        }

        return queues;
    }

    private static long? LastAlive(SqliteDatabase database)
    {
        using var statement = database.Prepare("SELECT value FROM meta WHERE name = ?");
        return statement.Bind(1, MetaNames.LastAlive).Step() ? statement.Int64(0) : null;
    }

    private static List<T> All<T>(
        SqliteDatabase database, string sql, Func<SqliteStatement, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        using var statement = database.Prepare(sql);
        while (statement.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            rows.Add(read(statement));
        }

        return rows;
    }
}
