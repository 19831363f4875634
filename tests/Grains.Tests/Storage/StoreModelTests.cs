using Broker.Grains.Storage;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>
/// Random histories against a model of plain sets: whatever falls into one batch or into several, the store holds the same
/// deliveries, and exactly the messages and counts that they refer to.
/// </summary>
public abstract class StoreModelTests
{
    private const int Sessions = 6;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task References_are_exact_over_random_histories(int seed)
    {
        var random = new Random(seed);
        var deliveries = new Dictionary<(long Session, long Sequence), long>();
        var released = new HashSet<(long Session, long Sequence)>();
        for (var start = 0; start < 3; start++)
        {
            await using (var store = await CreateStoreAsync(maximumBatchWrites: random.Next(1, 40)))
            {
                await store.OpenedAsync();
                await RunAsync(store, random, deliveries, released);
            }

            var rows = await ReadRowsAsync();
            var counts = deliveries.Values.GroupBy(number => number).OrderBy(group => group.Key)
                .Select(group => (group.Key, (long)group.Count())).ToList();
            Assert.Equal(deliveries.Keys.Order(), rows.Deliveries);
            Assert.Equal(released.Order(), rows.Released);
            Assert.Equal(counts, rows.MessageCounts);
            Assert.Equal(counts.Where(count => count.Item2 > 1), rows.ReferenceCounts);
        }
    }

    /// <summary>A store on the place of this test, not yet open.</summary>
    protected abstract Task<IMessageStore> CreateStoreAsync(int maximumBatchWrites);

    /// <summary>What the place holds, read past the store; each list in order.</summary>
    protected abstract Task<StoredRows> ReadRowsAsync();

    private static async Task RunAsync(
        IMessageStore store,
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
        IMessageStore store, Random random, Dictionary<(long Session, long Sequence), long> deliveries)
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
        IMessageStore store,
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

    /// <param name="Deliveries">Session and sequence.</param>
    /// <param name="Released">Session and sequence of those marked as released.</param>
    /// <param name="MessageCounts">Number of each message and how often it is referred to.</param>
    /// <param name="ReferenceCounts">The same from the table of counts, which has those above one only.</param>
    protected sealed record StoredRows(
        List<(long First, long Second)> Deliveries,
        List<(long First, long Second)> Released,
        List<(long First, long Second)> MessageCounts,
        List<(long First, long Second)> ReferenceCounts);
}
