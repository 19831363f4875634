using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <summary>Deletes rows of a table by session and filter.</summary>
internal sealed class KeyedDeletion
{
    private readonly PostgresStatement _statement;
    private readonly List<long> _sessions;
    private readonly List<Guid> _keys;

    /// <param name="table">A table with the columns session and filter_key; not from outside.</param>
    /// <param name="prepare">Adds the statement to those of the writer.</param>
    public KeyedDeletion(string table, Func<string, PostgresStatement> prepare)
    {
        _statement = prepare(
            $"""
            DELETE FROM {table} WHERE ctid = ANY (ARRAY(
                SELECT t.place FROM unnest($1, $2) AS r (session, filter_key)
                CROSS JOIN LATERAL (
                    SELECT ctid AS place FROM {table}
                    WHERE session = r.session AND filter_key = r.filter_key OFFSET 0) t))
            """);
        _sessions = _statement.Array<long>(NpgsqlDbType.Bigint);
        _keys = _statement.Array<Guid>(NpgsqlDbType.Uuid);
    }

    public void Add(long session, string filter)
    {
        _sessions.Add(session);
        _keys.Add(PostgresRows.Key(filter));
        _statement.IsUsed = true;
    }
}
