using Broker.Grains.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>
/// Random histories against a model of plain sets: whatever falls into one batch or into several, the file holds the same
/// deliveries, and exactly the messages and counts that they refer to.
/// </summary>
public sealed class SqliteModelTests
{
    private const int Sessions = 6;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task References_are_exact_over_random_histories(int seed)
    {
        var directory = new TemporaryDirectory();
        var path = Path.Combine(directory.Path, "broker.db");
        var random = new Random(seed);
        var deliveries = new Dictionary<(long Session, long Sequence), long>();
        var released = new HashSet<(long Session, long Sequence)>();
        for (var start = 0; start < 3; start++)
        {
            await using (var store = new SqliteMessageStore(
                new SqliteStoreOptions { Path = path, MaximumBatchWrites = random.Next(1, 40) },
                NullLogger<SqliteMessageStore>.Instance))
            {
                await store.OpenedAsync();
                await RunAsync(store, random, deliveries, released);
            }

            Check(path, deliveries, released);
        }

        directory.Delete();
    }

    private static async Task RunAsync(
        SqliteMessageStore store,
        Random random,
        Dictionary<(long Session, long Sequence), long> deliveries,
        HashSet<(long Session, long Sequence)> released)
    {
        var writes = new List<TestWrite>();
        for (var step = 0; step < 1500; step++)
        {
            var session = random.Next(1, Sessions + 1);
            switch (random.Next(12))
            {
                case 0 when deliveries.Count > 0:
                    // What MQTT calls a clean start: the session goes, one with the same rows' key space comes.
                    writes.Add(store.PostWrite(batch =>
                    {
                        batch.DeleteSession(session);
                        batch.PutSession(Session(session, $"c{session}", 1));
                    }));
                    foreach (var key in deliveries.Keys.Where(key => key.Session == session).ToList())
                    {
                        deliveries.Remove(key);
                        released.Remove(key);
                    }

                    break;
                case < 5:
                    writes.Add(Publish(store, random, deliveries));
                    break;
                case < 10 when deliveries.Count > 0:
                    writes.Add(Acknowledge(store, random, deliveries, released));
                    break;
                case 10 when deliveries.Count > 0:
                    var some = deliveries.Keys.ElementAt(random.Next(deliveries.Count));
                    released.Add(some);
                    writes.Add(store.PostWrite(batch => batch.SetReleased(some.Session, some.Sequence)));
                    break;
                default:
                    if (writes.Count > 0)
                    {
                        await writes[^1].Done.WaitAsync(TimeSpan.FromSeconds(30));
                    }

                    break;
            }
        }

        await Task.WhenAll(writes.Select(write => write.Done)).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static TestWrite Publish(
        SqliteMessageStore store, Random random, Dictionary<(long Session, long Sequence), long> deliveries)
    {
        var number = store.NextMessageNumber();
        var sessions = Enumerable.Range(1, Sessions).Where(_ => random.Next(3) == 0).Select(i => (long)i).ToArray();
        foreach (var session in sessions)
        {
            // The message's number serves as the sequence number: both ascend.
            deliveries[(session, number)] = number;
        }

        return store.PostWrite(batch =>
        {
            batch.PutMessage(number, Message(), sessions.Length);
            foreach (var session in sessions)
            {
                batch.PutDelivery(Delivery(session, number, number));
            }
        });
    }

    private static TestWrite Acknowledge(
        SqliteMessageStore store,
        Random random,
        Dictionary<(long Session, long Sequence), long> deliveries,
        HashSet<(long Session, long Sequence)> released)
    {
        var first = deliveries.Keys.ElementAt(random.Next(deliveries.Count));
        var range = Enumerable.Range(0, random.Next(1, 6)).Select(i => (first.Session, Sequence: first.Sequence + i)).ToArray();
        foreach (var key in range)
        {
            deliveries.Remove(key);
            released.Remove(key);
        }

        return store.PostWrite(
            batch =>
            {
                foreach (var (session, sequence) in range)
                {
                    batch.DeleteDelivery(session, sequence, sequence);
                }
            },
            mustSucceed: true);
    }

    private static void Check(
        string path,
        Dictionary<(long Session, long Sequence), long> deliveries,
        HashSet<(long Session, long Sequence)> released)
    {
        using var database = new SqliteDatabase(path, readOnly: true);
        var rows = Pairs(database, "SELECT session, sequence FROM delivery ORDER BY session, sequence");
        Assert.Equal(deliveries.Keys.Order(), rows);
        Assert.Equal(
            released.Order(), Pairs(database, "SELECT session, sequence FROM delivery WHERE flags & 8 ORDER BY 1, 2"));

        var counts = deliveries.Values.GroupBy(number => number).ToDictionary(group => group.Key, group => (long)group.Count());
        Assert.Equal(
            counts.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)),
            Pairs(
                database,
                """
                SELECT number, coalesce(count, 1) FROM message
                LEFT JOIN message_reference ON message = number ORDER BY number
                """));
        Assert.Equal(
            counts.Count(pair => pair.Value > 1), database.Scalar("SELECT count(*) FROM message_reference"));
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
