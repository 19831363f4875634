using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>The embedded store: the common suite, and what only a file has.</summary>
public sealed class SqliteMessageStoreTests : MessageStoreTests
{
    private readonly TemporaryDirectory _directory = new();

    private string DatabasePath => Path.Combine(_directory.Path, "broker.db");

    protected override StoreMetrics Metrics => ((SqliteMessageStore)Store).Metrics;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Delete();
    }

    protected override IMessageStore CreateStore(int maximumPendingWrites, long maximumPendingBytes) =>
        new SqliteMessageStore(
            new SqliteStoreOptions
            {
                Path = DatabasePath,
                MaximumPendingWrites = maximumPendingWrites,
                MaximumPendingBytes = maximumPendingBytes,
            },
            NullLogger<SqliteMessageStore>.Instance);

    [Fact]
    public async Task The_file_shrinks_when_many_rows_have_gone()
    {
        const int Rows = 100_000;
        var session = await Store.NewSessionAsync("c");
        for (var from = 1; from <= Rows; from += 1000)
        {
            var first = from;
            await Store.WriteAsync(batch =>
            {
                for (var i = first; i < first + 1000; i++)
                {
                    batch.PutMessage(i, Message(new string('x', 100)), 1);
                    batch.PutDelivery(Delivery(session, i, i));
                }
            });
        }

        var full = SizeOnDisk();
        for (var from = 1; from <= Rows; from += 1000)
        {
            var first = from;
            await Store.WriteAsync(batch =>
            {
                for (var i = first; i < first + 1000; i++)
                {
                    batch.DeleteDelivery(session, i, i);
                }
            });
        }

        // 1 MiB of free pages is kept, the rest of an empty store is a few pages.
        await EventuallyAsync(() => SizeOnDisk() < 2 * 1024 * 1024, $"file shrinks from {full} bytes");
        Assert.True(full > 10 * 1024 * 1024, $"full size was {full}");
    }

    [Fact]
    public async Task The_log_stays_bounded_under_load()
    {
        var session = await Store.NewSessionAsync("c");
        long largest = 0;
        for (var from = 1; from <= 200; from++)
        {
            var first = from * 1000;
            await Store.WriteAsync(batch =>
            {
                for (var i = first; i < first + 1000; i++)
                {
                    batch.PutMessage(i, Message(new string('x', 1000)), 1);
                    batch.PutDelivery(Delivery(session, i, i));
                }
            });
            largest = Math.Max(largest, new FileInfo(DatabasePath + "-wal").Length);
        }

        Assert.InRange(largest, 1, 64 * 1024 * 1024);
    }

    [Fact]
    public async Task A_second_store_on_the_folder_is_told_who_holds_it()
    {
        await using var second = (SqliteMessageStore)CreateStore(1000, 1 << 20);

        var error = await Assert.ThrowsAsync<StoreOpenException>(() => second.OpenedAsync());

        Assert.Equal(StoreOpenFailure.Held, error.Failure);
        Assert.Contains($"pid {Environment.ProcessId}", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private long SizeOnDisk()
    {
        var wal = new FileInfo(DatabasePath + "-wal");
        return new FileInfo(DatabasePath).Length + (wal.Exists ? wal.Length : 0);
    }
}
