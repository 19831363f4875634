using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>A body that sessions of several silos refer to goes with the last of them, whoever is the last.</summary>
public sealed class PostgresReferenceTests
{
    private const int Sessions = 8;
    private const int Messages = 2000;
    private const int Seed = 20_261_124;

    [Fact]
    public async Task Two_silos_that_acknowledge_the_same_messages_at_the_same_time_leave_none_and_lose_none()
    {
        await using var pair = await PostgresPair.OpenAsync();
        var stores = new[] { pair.First, pair.Second };
        var sessions = new List<long>();
        for (var i = 0; i < Sessions; i++)
        {
            sessions.Add(await stores[i % 2].NewSessionAsync($"c{i}"));
        }

        var numbers = Enumerable.Range(0, Messages).Select(_ => pair.First.NextMessageNumber()).ToArray();
        await pair.First.WriteAsync(batch =>
        {
            for (var i = 0; i < Messages; i++)
            {
                batch.PutMessage(numbers[i], Message(), Sessions);
                sessions.ForEach(session => batch.PutDelivery(Delivery(session, i, numbers[i])));
            }
        });
        Assert.Equal(Messages * Sessions, await pair.CountAsync("broker_delivery"));

        // Each session but one acknowledges everything, in its own order and in groups of its own size.
        var acknowledged = sessions.Skip(1).Select((session, index) => Task.Run(async () =>
        {
            var random = new Random(Seed + index);
            var order = Enumerable.Range(0, Messages).ToArray();
            random.Shuffle(order);
            var writes = order.Chunk(random.Next(1, 60)).Select(chunk => stores[(index + 1) % 2].PostWrite(
                batch =>
                {
                    Assert.True(batch.Owns(session, 1));
                    foreach (var i in chunk)
                    {
                        batch.DeleteDelivery(session, i, numbers[i]);
                    }
                },
                mustSucceed: true)).ToList();
            await Task.WhenAll(writes.Select(write => write.Done)).WaitAsync(TimeSpan.FromSeconds(60));
        }));
        await Task.WhenAll(acknowledged);

        Assert.Equal(Messages, await pair.CountAsync("broker_message"));
        Assert.Equal(0, await pair.CountAsync("broker_message_reference"));
        Assert.Equal(Messages, await pair.CountAsync("broker_delivery"));
        await pair.First.WriteAsync(batch => batch.DeleteSession(sessions[0]));
        Assert.Equal(0, await pair.CountAsync("broker_message"));
        Assert.True(pair.First.IsAvailable && pair.Second.IsAvailable);
    }

    [Fact]
    public async Task Few_acknowledgements_do_not_look_at_all_messages_although_they_were_planned_when_there_was_one()
    {
        await using var pair = await PostgresPair.OpenAsync();
        var store = pair.First;
        long[] sessions = [await store.NewSessionAsync("c0"), await store.NewSessionAsync("c1")];

        // What autovacuum does while next to nothing is queued.
        await PutAsync(0, 1);
        await PostgresTestServer.ExecuteAsync(pair.ConnectionString, "VACUUM ANALYZE");
        await AcknowledgeAsync(sessions[0], 0, 1);
        await PutAsync(1, Messages);
        await AcknowledgeAsync(sessions[0], 1, 10);

        // A server process tells what it has read once in a second, when it is at work.
        var read = 0L;
        await EventuallyAsync(
            () =>
            {
                store.WriteAsync(static batch => batch.PutLastAlive(1)).Wait();
                read = PostgresTestServer.ScalarAsync<long>(
                    pair.ConnectionString, "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'broker_message_reference_pkey'").Result;
                return read >= 10;
            },
            "the server tells what was read");

        Assert.InRange(read, 10, Messages / 2);

        Task PutAsync(int first, int count) => store.WriteAsync(batch =>
        {
            for (var i = first; i < first + count; i++)
            {
                batch.PutMessage(i + 1, Message(), sessions.Length);
                Array.ForEach(sessions, session => batch.PutDelivery(Delivery(session, i, i + 1)));
            }
        });

        Task AcknowledgeAsync(long session, int first, int count) => store.WriteAsync(batch =>
        {
            Assert.True(batch.Owns(session, 1));
            for (var i = first; i < first + count; i++)
            {
                batch.DeleteDelivery(session, i, i + 1);
            }
        });
    }
}
