using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Grains.Tests.Storage;

/// <summary>Random histories on a file.</summary>
public sealed class SqliteModelTests : StoreModelTests, IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string DatabasePath => Path.Combine(_directory.Path, "broker.db");

    public void Dispose() => _directory.Delete();

    protected override Task<IMessageStore> CreateStoreAsync(int maximumBatchWrites) =>
        Task.FromResult<IMessageStore>(new SqliteMessageStore(
            new SqliteStoreOptions { Path = DatabasePath, MaximumBatchWrites = maximumBatchWrites },
            NullLogger<SqliteMessageStore>.Instance));

    protected override Task<StoredRows> ReadRowsAsync()
    {
        using var database = new SqliteDatabase(DatabasePath, readOnly: true);
        return Task.FromResult(new StoredRows(
            Pairs(database, "SELECT session, sequence FROM delivery ORDER BY 1, 2"),
            Pairs(database, "SELECT session, sequence FROM delivery WHERE flags & 8 ORDER BY 1, 2"),
            Pairs(
                database,
                """
                SELECT number, coalesce(count, 1) FROM message
                LEFT JOIN message_reference ON message = number ORDER BY number
                """),
            Pairs(database, "SELECT message, count FROM message_reference ORDER BY message")));
    }

    private static List<(long First, long Second)> Pairs(SqliteDatabase database, string sql)
    {
        using var statement = database.Prepare(sql);
        var pairs = new List<(long First, long Second)>();
        while (statement.Step())
        {
            pairs.Add((statement.Int64(0), statement.Int64(1)));
        }

        return pairs;
    }
}
