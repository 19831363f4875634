using Npgsql;

namespace Broker.Grains.Storage.Postgres;

/// <summary>One statement with its parameters, read to the end.</summary>
internal static class PostgresQuery
{
    /// <exception cref="StoreException">The database has refused, or does not answer.</exception>
    public static async Task<List<T>> ListAsync<T>(
        this NpgsqlDataSource source,
        string sql,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken,
        params object[] values)
    {
        try
        {
            await using var command = source.CreateCommand(sql);
            foreach (var value in values)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellationToken))
            {
                rows.Add(read(reader));
            }

            return rows;
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            throw PostgresFault.From(error);
        }
    }
}
