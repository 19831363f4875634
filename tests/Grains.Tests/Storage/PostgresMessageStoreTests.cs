using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Grains.Tests.Storage;

/// <summary>The store of a cluster: the common suite on a real server.</summary>
public sealed class PostgresMessageStoreTests : MessageStoreTests
{
    private string _connectionString = "";

    public override async Task InitializeAsync()
    {
        _connectionString = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        await base.InitializeAsync();
    }

    protected override IMessageStore CreateStore(int maximumPendingWrites, long maximumPendingBytes) =>
        new PostgresMessageStore(
            new PostgresStoreOptions
            {
                ConnectionString = _connectionString,
                MaximumPendingWrites = maximumPendingWrites,
                MaximumPendingBytes = maximumPendingBytes,
            },
            NullLogger<PostgresMessageStore>.Instance);

    // Numbers of retained messages may be equal here: silos give them by the time.
    protected override void PutForbidden(IStoreBatch batch) =>
        batch.PutRetained("b", 2, new ApplicationMessage(StoreTestExtensions.Message().Bytes.ToArray(), 3, 0) { Publisher = null! });

    protected override StoreMetrics Metrics => ((PostgresMessageStore)Store).Metrics;
}
