using System.Data;
using Npgsql;

namespace Broker.Grains.Storage.Postgres;

/// <summary>Reads what must be known of sessions before their first connection, all in one snapshot.</summary>
internal static class PostgresRecovery
{
    /// <param name="only">Numbers of the sessions; null for all, with the Wills and retained messages, each table in one scan.</param>
    public static async Task<RecoveredState> LoadAsync(
        NpgsqlDataSource source, PostgresSessionTable known, long[]? only, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);

        // A large cluster's tables take longer than a load of one session may.
        await using (var patience = new NpgsqlCommand("SET LOCAL statement_timeout = 0", connection, transaction))
        {
            await patience.ExecuteNonQueryAsync(cancellationToken);
        }

        Task<List<T>> All<T>(string sql, Func<NpgsqlDataReader, T> read) =>
            AllAsync(connection, sql, only, read, cancellationToken);

        var chosen = only is null ? "" : "WHERE session = ANY ($1)";

        Task<List<T>> Whole<T>(string sql, Func<NpgsqlDataReader, T> read) =>
            only is null ? All(sql, read) : Task.FromResult(new List<T>());

        var sessions = await All($"SELECT {PostgresRows.SessionNames} FROM broker_session {(only is null ? "" : "WHERE number = ANY ($1)")}", PostgresRows.ReadSession);
        foreach (var session in sessions)
        {
            known.Observed(session.Number, session.Epoch);
        }

        var lastAlive = await Whole("SELECT value FROM broker_meta WHERE name = 'last_alive'", row => row.GetInt64(0));
        return new RecoveredState(
            lastAlive.Count == 0 ? null : lastAlive[0],
            sessions,
            await All(
                $"SELECT session, filter, options, identifier FROM broker_subscription {chosen}",
                row => new SubscriptionRow(
                    row.GetInt64(0), row.GetString(1), (byte)row.GetInt16(2), (uint)row.GetInt64(3))),
            await Whole(
                $"SELECT topic, number, {PostgresRows.MessageNames} FROM broker_retained ORDER BY number",
                PostgresRows.ReadRetained),
            await Whole(
                $"SELECT client_id, delay_interval, publish_at, {PostgresRows.MessageNames} FROM broker_will", PostgresRows.ReadWill),
            await All(
                $"SELECT session, filter, after_number, up_to FROM broker_replay {chosen}",
                row => new ReplayRow(row.GetInt64(0), row.GetString(1), row.GetInt64(2), PostgresRows.ReadNullableId(row, 3))),
            (await All(
                $"SELECT session, count(*), sum(size)::bigint, max(sequence) FROM broker_delivery {chosen} GROUP BY session",
                row => (
                    Session: row.GetInt64(0),
                    Queue: new QueueSummary((int)row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)))))
                .ToDictionary(row => row.Session, row => row.Queue));
    }

    private static async Task<List<T>> AllAsync<T>(
        NpgsqlConnection connection, string sql, long[]? only, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        if (only is not null)
        {
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = only });
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
