using System.Data;
using Npgsql;

namespace Broker.Grains.Storage.Postgres.Schema;

/// <summary>
/// Creates or migrates the schema at the start of a silo. Silos that start together take turns by an advisory lock; a
/// database that is up to date is only read, so a silo needs no right to change it then. Scripts only add (expand), so that
/// a silo of the version before goes on working beside a new one, and a schema newer than this program is let be.
/// </summary>
public static class SchemaMigration
{
    // As long as the store's own connections: one that is not answered is tried again.
    private const int ConnectSeconds = 5;

    private const long AdvisoryLock = 0x62726F6B_73636865;

    /// <summary>Brings the database up to date.</summary>
    /// <returns>Names and versions of the scripts that were run.</returns>
    /// <exception cref="StoreOpenException">The server does not answer, or the rights are not sufficient.</exception>
    public static async Task<IReadOnlyList<string>> RunAsync(string connectionString, CancellationToken cancellationToken)
    {
        var text = new NpgsqlConnectionStringBuilder(connectionString) 
        {
            Pooling = false,
            Enlist = false,
            Timeout = ConnectSeconds,
        };
        var place = $"postgresql {text.Host}:{text.Port}/{text.Database}";
        await using var connection = new NpgsqlConnection(text.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            if ((await MissingAsync(connection, cancellationToken)).Count == 0)
            {
                return [];
            }

            await ExecuteAsync(connection, $"SELECT pg_advisory_lock({AdvisoryLock})", cancellationToken);
            var missing = await MissingAsync(connection, cancellationToken);
            foreach (var script in missing)
            {
                await RunAsync(connection, script, cancellationToken);
            }

            return [.. missing.Select(static s => $"{s.Name} {s.Version}")];
        }
        catch (PostgresException error) when (
            error.SqlState == PostgresErrorCodes.InsufficientPrivilege && connection.State == ConnectionState.Open)
        {
            throw new StoreOpenException(StoreOpenFailure.NotWritable, await LackingAsync(connection, text.Username, place, error, cancellationToken), error);
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            throw new StoreOpenException(
                PostgresFault.OpenFailure(error),
                $"The store {place} cannot be opened ({PostgresFault.From(error).Message}): check that PostgreSQL runs, that it "
                    + "lets this user in, and Broker:Store:ConnectionString.",
                error);
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, SchemaScript script, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, script.Text, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>What the owner of the database has to do for a user who may not change the schema, all of it at once.</summary>
    private static async Task<string> LackingAsync(
        NpgsqlConnection connection, string? user, string place, PostgresException error, CancellationToken cancellationToken)
    {
        const string Rights = "give the user the rights that docs/operations.md lists (Cluster)";
        try
        {
            var files = (await MissingAsync(connection, cancellationToken)).ConvertAll(static s => $"{s.File} version {s.Version}");
            return $"The schema of {place} lacks {string.Join(", ", files)}, and user '{user}' has no right to add that ({error.MessageText}): "
                + $"run these files of deploy/sql in this order as the owner of the database, and {Rights}.";
        }
        catch (Exception unread) when (unread is NpgsqlException or IOException or TimeoutException)
        {
            return $"User '{user}' may not use the store {place} ({error.MessageText}): {Rights}.";
        }
    }

    private static async Task<List<SchemaScript>> MissingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var versions = new Dictionary<string, int>(StringComparer.Ordinal);
        await using (var exists = new NpgsqlCommand("SELECT to_regclass('broker_schema') IS NOT NULL", connection))
        {
            if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return [.. SchemaScript.All];
            }
        }

        await using var command = new NpgsqlCommand("SELECT name, version FROM broker_schema", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            versions[reader.GetString(0)] = reader.GetInt32(1);
        }

        return [.. SchemaScript.All.Where(s => versions.GetValueOrDefault(s.Name) < s.Version)];
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
