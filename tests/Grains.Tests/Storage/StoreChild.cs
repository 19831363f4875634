using System.Globalization;
using System.Text;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>
/// The process that gets killed: the test assembly started as a program, with <see cref="PathVariable"/> set. It posts puts
/// and deletions without end and prints each when it is told that it is durable: <c>+ sequence message</c> and
/// <c>- sequence message</c>.
/// </summary>
internal static class StoreChild
{
    public const string PathVariable = "BROKER_STORE_CHILD_PATH";
    public const string ClientId = "child";

    // Deep enough that a kill finds writes in every state: posted, in a batch, committed, reported.
    private const int Outstanding = 64;
    private const int DeleteAfter = 200;

    public static string Body(long sequence) => $"body {sequence} {new string('x', 200)}";

    /// <summary>Does not return in a child.</summary>
    public static void RunIfChild()
    {
        if (Environment.GetEnvironmentVariable(PathVariable) is { } path)
        {
            RunAsync(path).GetAwaiter().GetResult();
        }
    }

    private static async Task RunAsync(string path)
    {
        using var output = Console.OpenStandardOutput();
        var store = new SqliteMessageStore(
            new SqliteStoreOptions { Path = path, CheckpointBytes = 1 << 20 }, NullLogger<SqliteMessageStore>.Instance);
        var state = await store.OpenAsync(CancellationToken.None);
        var session = state.Sessions.Count > 0 ? state.Sessions[0].Number : await store.NewSessionAsync(ClientId);
        var known = await store.LoadDeliveriesAsync(session, CancellationToken.None);
        var live = new Queue<(long Sequence, long Message)>(known.Select(row => (row.Sequence, row.Message)));
        var sequence = known.Count > 0 ? known[^1].Sequence : 0;
        using var slots = new SemaphoreSlim(Outstanding);
        while (true)
        {
            await slots.WaitAsync();
            var current = ++sequence;
            var message = store.NextMessageNumber();
            live.Enqueue((current, message));
            Post(store, output, slots, '+', current, message, batch =>
            {
                batch.PutMessage(message, Message(Body(current)), 1);
                batch.PutDelivery(Delivery(session, current, message));
            });
            if (live.Count > DeleteAfter)
            {
                var (oldSequence, oldMessage) = live.Dequeue();
                await slots.WaitAsync();
                Post(store, output, slots, '-', oldSequence, oldMessage, batch =>
                    batch.DeleteDelivery(session, oldSequence, oldMessage));
            }
        }
    }

    private static void Post(
        SqliteMessageStore store,
        Stream output,
        SemaphoreSlim slots,
        char sign,
        long sequence,
        long message,
        Action<IStoreBatch> add)
    {
        store.Post(new TestWrite(add)
        {
            Completing = error =>
            {
                if (error is null)
                {
                    var line = string.Create(CultureInfo.InvariantCulture, $"{sign} {sequence} {message}\n");
                    output.Write(Encoding.ASCII.GetBytes(line));
                }

                slots.Release();
            },
        });
    }
}
