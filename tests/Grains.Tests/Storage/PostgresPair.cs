using Broker.Grains.Cluster;
using Broker.Grains.Storage.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Grains.Tests.Storage;

/// <summary>Two silos' stores on one database.</summary>
internal sealed class PostgresPair : IAsyncDisposable
{
    private PostgresPair(string connectionString)
    {
        ConnectionString = connectionString;
        First = NewStore();
        Second = NewStore();
    }

    public string ConnectionString { get; }

    public PostgresMessageStore First { get; }

    public PostgresMessageStore Second { get; }

    /// <param name="prepare">SQL to run in the database before the stores open.</param>
    public static async Task<PostgresPair> OpenAsync(string? prepare = null)
    {
        var connectionString = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        if (prepare is not null)
        {
            await PostgresTestServer.ExecuteAsync(connectionString, prepare);
        }

        var pair = new PostgresPair(connectionString);
        await pair.First.OpenedAsync();
        await pair.Second.OpenedAsync();
        return pair;
    }

    /// <summary>One more on the same database, not yet open.</summary>
    public PostgresMessageStore NewStore(TimeSpan? nodeLease = null) => new(
        new PostgresStoreOptions { ConnectionString = ConnectionString, NodeLease = nodeLease ?? TimeSpan.FromMinutes(2) },
        NullLogger<PostgresMessageStore>.Instance);

    /// <summary>What the first of them agrees on with the others of the cluster <c>test</c>.</summary>
    public ClusterStore NewCluster() => new(new ClusterStoreOptions { ConnectionString = ConnectionString, Cluster = "test" }, First);

    public Task<long> CountAsync(string table) =>
        PostgresTestServer.ScalarAsync<long>(ConnectionString, $"SELECT count(*) FROM {table}");

    public async ValueTask DisposeAsync()
    {
        await First.DisposeAsync();
        await Second.DisposeAsync();
    }
}
