using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Microsoft.Extensions.Logging;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>A disk that is really full.</summary>
public sealed class SqliteFullDiskTests
{
    [TinyDiskFact]
    public async Task A_full_disk_refuses_is_logged_once_and_recovers_by_itself()
    {
        var disk = TinyDisk.TryMount(4, out var reason) ?? throw new InvalidOperationException(reason);
        try
        {
            await FillAndRecoverAsync(disk.Path);
        }
        finally
        {
            disk.Unmount();
        }
    }

    private static async Task FillAndRecoverAsync(string path)
    {
        var filler = Path.Combine(path, "filler");
        await File.WriteAllBytesAsync(filler, new byte[1024 * 1024]);
        var logger = new RecordingLogger<SqliteMessageStore>();
        var options = new SqliteStoreOptions { Path = Path.Combine(path, "data", "broker.db") };
        await using var store = new SqliteMessageStore(options, logger);
        await store.OpenedAsync();
        var session = await store.NewSessionAsync("c");

        var stored = await FillAsync(store, session);

        // A small write may still find room, so the acknowledgement may be committed at once or only when there is space.
        var acknowledgement = store.PostWrite(batch => batch.DeleteDelivery(session, 1, stored[0]), mustSucceed: true);
        Assert.Equal(
            Enumerable.Range(2, stored.Count - 1).Select(i => (long)i),
            (await store.SequencesAsync(session)).Where(x => x > 1).Take(stored.Count - 1));

        File.Delete(filler);
        await EventuallyAsync(() => store.IsAvailable, "available again");
        await acknowledgement.Done.WaitAsync(TimeSpan.FromSeconds(30));
        var number = store.NextMessageNumber();
        await store.WriteAsync(batch => Add(batch, session, 1_000_000, number));

        Assert.Contains(1_000_000, await store.SequencesAsync(session));
        Assert.False(await store.HasMessageAsync(stored[0]));
        Assert.Equal(stored.Count - 1, (await store.LoadMessagesAsync(stored, CancellationToken.None)).Count);
        var outages = logger.Lines.Count(line => line.Level == LogLevel.Error);
        Assert.True(outages >= 1);
        Assert.Equal(outages, logger.Lines.Count(line => line.Text.Contains("commits again", StringComparison.Ordinal)));
        Assert.True(store.Metrics.FailedCommits >= 1);
    }

    /// <summary>Numbers of the messages that were acknowledged before the disk was full.</summary>
    private static async Task<List<long>> FillAsync(SqliteMessageStore store, long session)
    {
        var stored = new List<long>();
        for (var sequence = 1; sequence < 1000; sequence++)
        {
            var number = store.NextMessageNumber();
            try
            {
                await store.WriteAsync(batch => Add(batch, session, sequence, number));
                stored.Add(number);
            }
            catch (StoreException)
            {
                return stored;
            }
        }

        throw new InvalidOperationException("The disk never got full.");
    }

    private static void Add(IStoreBatch batch, long session, long sequence, long number)
    {
        batch.PutMessage(number, Message(new string('x', 100_000)), 1);
        batch.PutDelivery(Delivery(session, sequence, number));
    }
}
