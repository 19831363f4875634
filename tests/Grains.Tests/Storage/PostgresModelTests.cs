using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Broker.Grains.Tests.Storage;

/// <summary>Random histories on a real server.</summary>
public sealed class PostgresModelTests : StoreModelTests
{
    private string? _connectionString;

    protected override async Task<IMessageStore> CreateStoreAsync(int maximumBatchWrites)
    {
        _connectionString ??= await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        return new PostgresMessageStore(
            new PostgresStoreOptions { ConnectionString = _connectionString, MaximumBatchWrites = maximumBatchWrites },
            NullLogger<PostgresMessageStore>.Instance);
    }

    protected override async Task<StoredRows> ReadRowsAsync()
    {
        await using var source = NpgsqlDataSource.Create(_connectionString!);
        return new StoredRows(
            await PairsAsync(source, "SELECT session, sequence FROM broker_delivery ORDER BY 1, 2"),
            await PairsAsync(source, "SELECT session, sequence FROM broker_delivery WHERE flags & 8 <> 0 ORDER BY 1, 2"),
            await PairsAsync(
                source,
                """
                SELECT number, coalesce(count, 1)::bigint FROM broker_message
                LEFT JOIN broker_message_reference ON message = number ORDER BY number
                """),
            await PairsAsync(source, "SELECT message, count::bigint FROM broker_message_reference ORDER BY message"));
    }

    private static async Task<List<(long First, long Second)>> PairsAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var pairs = new List<(long First, long Second)>();
        while (await reader.ReadAsync())
        {
            pairs.Add((reader.GetInt64(0), reader.GetInt64(1)));
        }

        return pairs;
    }
}
