using System.Diagnostics;
using System.Globalization;
using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Broker.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Micro;

/// <summary>
/// How fast the embedded store takes, gives and deletes rows, every commit durable. CPU is that of the whole process per
/// row; a write is one message and one delivery, so two rows.
/// <code>dotnet run -c Release --project bench/Micro -- store [directory] [writes] [parts, of abcdef]</code>
/// </summary>
public sealed class StoreBench : IBench
{
    private const int Sessions = 100;
    private const int FanOut = 1000;
    private const int PayloadBytes = 100;
    private static readonly int[] Windows = [1, 10, 100, 300, 1000];
    private static readonly int[] Runs = [1, 10, 100];
    private static readonly byte[] Topic = Encoding.UTF8.GetBytes("building/7/floor/3/room/12/temperature");

    public string Name => "store";

    public string Description => "Rows per second and CPU per row of the embedded store, every commit durable.";

    public int Run(string[] args)
    {
        var root = args.Length > 0 ? args[0] : Path.Combine(Path.GetTempPath(), "store-bench");
        var writes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 200_000;
        var parts = args.Length > 2 ? args[2] : "abcdef";
        RunAsync(root, writes, parts).GetAwaiter().GetResult();
        return 0;
    }

    private static async Task RunAsync(string root, int writes, string parts)
    {
        foreach (var outstanding in Windows.Where(_ => parts.Contains('a')))
        {
            await RunIn(root, store => Append(store, outstanding, Math.Min(writes, outstanding * 5_000)));
        }

        foreach (var run in Runs.Where(_ => parts.Contains('b')))
        {
            await RunIn(root, store => AcknowledgeAsync(store, run, writes));
        }

        if (parts.Contains('c'))
        {
            await RunIn(root, LoadAsync);
        }

        if (parts.Contains('d'))
        {
            await RunIn(root, store => FanOutAsync(store, writes / 5));
        }

        if (parts.Contains('e'))
        {
            await RunIn(root, store => RestartAsync(store, root, writes));
        }

        if (parts.Contains('f'))
        {
            await RunIn(root, store => ShrinkAsync(store, root, writes));
        }
    }

    private static async Task RunIn(string root, Func<SqliteMessageStore, Task> body)
    {
        if (Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }

        await using var store = await OpenAsync(root);
        using (var window = new Window(store, FanOut))
        {
            for (var session = 1; session <= FanOut; session++)
            {
                var number = store.NextSessionNumber();
                window.Post(batch => batch.PutSession(
                    new SessionRow(number, $"client-{number}", 1, 3600, null, 0, ProtocolVersion.Mqtt5)));
            }
        }

        await body(store);
    }

    private static async Task<SqliteMessageStore> OpenAsync(string root)
    {
        var store = new SqliteMessageStore(
            new SqliteStoreOptions { Path = Path.Combine(root, "broker.db") }, NullLogger<SqliteMessageStore>.Instance);
        await store.OpenAsync(CancellationToken.None);
        return store;
    }

    private static Task Append(SqliteMessageStore store, int outstanding, int writes)
    {
        Fill(store, outstanding, writes / 10, 0);
        var measure = new Measure(store);
        Fill(store, outstanding, writes, writes / 10);
        measure.Print($"(a) message + delivery, {Sessions} sessions, {outstanding} outstanding", writes);
        return Task.CompletedTask;
    }

    private static void Fill(SqliteMessageStore store, int outstanding, int writes, int from)
    {
        using var window = new Window(store, outstanding);
        for (var i = from; i < from + writes; i++)
        {
            var session = (i % Sessions) + 1;
            var sequence = (i / Sessions) + 1;
            var number = store.NextMessageNumber();
            window.Post(new PublishWrite(window, number, NewMessage(number), session, sequence));
        }
    }

    private static Task AcknowledgeAsync(SqliteMessageStore store, int run, int writes)
    {
        Fill(store, 1000, writes, 0);
        var measure = new Measure(store);
        using (var window = new Window(store, 300))
        {
            for (var sequence = 1; sequence <= writes / Sessions; sequence += run)
            {
                for (var session = 1; session <= Sessions; session++)
                {
                    window.Post(new AcknowledgeWrite(window, session, sequence, run));
                }
            }
        }

        measure.Print($"(b) delete, {run} per write, 300 outstanding", writes);
        return Task.CompletedTask;
    }

    private static async Task LoadAsync(SqliteMessageStore store)
    {
        const int Rounds = 500;
        Fill(store, 1000, Sessions * 1000, 0);
        var measure = new Measure(store);
        for (var i = 0; i < Rounds; i++)
        {
            var deliveries = await store.LoadDeliveriesAsync(1 + (i % Sessions), CancellationToken.None);
            var numbers = deliveries.ConvertAll(row => row.Message);
            var messages = await store.LoadMessagesAsync(numbers, CancellationToken.None);
            if (messages.Count != 1000)
            {
                throw new InvalidOperationException($"Loaded {messages.Count} messages.");
            }
        }

        measure.Print("(c) load a session of 1000 deliveries with bodies, per delivery", Rounds * 1000);
    }

    private static Task FanOutAsync(SqliteMessageStore store, int deliveries)
    {
        var measure = new Measure(store);
        using (var window = new Window(store, 100))
        {
            for (var i = 1; i <= deliveries / FanOut; i++)
            {
                var number = store.NextMessageNumber();
                var sequence = i;
                var message = NewMessage(number);
                window.Post(batch =>
                {
                    batch.PutMessage(number, message, FanOut);
                    for (var session = 1; session <= FanOut; session++)
                    {
                        batch.PutDelivery(Delivery(session, sequence, number));
                    }
                });
            }
        }

        measure.Print($"(d) fan-out 1 to {FanOut}, per delivery", deliveries);
        measure = new Measure(store);
        using (var window = new Window(store, 300))
        {
            for (var session = 1; session <= FanOut; session++)
            {
                window.Post(new AcknowledgeWrite(window, session, 1, deliveries / FanOut, 1));
            }
        }

        measure.Print("(d) and its acknowledgement, per delivery", deliveries);
        return Task.CompletedTask;
    }

    private static async Task RestartAsync(SqliteMessageStore store, string root, int writes)
    {
        Fill(store, 1000, writes, 0);
        await store.DisposeAsync();
        var started = Stopwatch.GetTimestamp();
        await using var again = await OpenAsync(root);
        Console.WriteLine($"(e) open with {writes} deliveries: {Stopwatch.GetElapsedTime(started).TotalMilliseconds:F0} ms");
    }

    private static async Task ShrinkAsync(SqliteMessageStore store, string root, int writes)
    {
        var file = Path.Combine(root, "broker.db");
        Fill(store, 1000, writes, 0);
        var measure = new Measure(store);
        using (var window = new Window(store, 100))
        {
            for (var session = 1; session <= Sessions; session++)
            {
                window.Post(new AcknowledgeWrite(window, session, 1, writes / Sessions));
            }
        }

        measure.Print("(f) delete all", writes);
        measure = new Measure(store);
        var started = Stopwatch.GetTimestamp();
        var before = new FileInfo(file).Length;
        while (new FileInfo(file).Length > before / 10 && Stopwatch.GetElapsedTime(started).TotalMinutes < 2)
        {
            await Task.Delay(100);
        }

        measure.Print($"(f) give back, file {before >> 20} to {new FileInfo(file).Length >> 20} MiB, per 4 KiB", before / 4096);
    }

    private static ApplicationMessage NewMessage(long number)
    {
        var bytes = new byte[Topic.Length + PayloadBytes];
        Topic.CopyTo(bytes, 0);
        return new ApplicationMessage(bytes, Topic.Length, 0)
        {
            Id = new MessageId((ulong)number, 1),
            Qos = QualityOfService.AtLeastOnce,
            Publisher = "publisher-1",
        };
    }

    private static DeliveryRow Delivery(long session, long sequence, long message) => new(
        session, sequence, message, PayloadBytes, QualityOfService.AtLeastOnce, false, false, long.MaxValue, []);

    private sealed class PublishWrite(Window window, long number, ApplicationMessage message, long session, long sequence)
        : StoreWrite
    {
        public override int Bytes => message.Size;

        public override void AddTo(IStoreBatch batch)
        {
            if (batch.Owns(session, 1))
            {
                batch.PutMessage(number, message, 1);
                batch.PutDelivery(Delivery(session, sequence, number));
            }
        }

        public override void Complete(Exception? error) => window.Release(error);
    }

    private sealed class AcknowledgeWrite(Window window, long session, long from, int count, long firstMessage = 0)
        : StoreWrite
    {
        public override bool MustSucceed => true;

        public override void AddTo(IStoreBatch batch)
        {
            for (var i = 0; i < count; i++)
            {
                var sequence = from + i;
                var message = firstMessage > 0 ? firstMessage + i : ((sequence - 1) * Sessions) + session;
                batch.DeleteDelivery(session, sequence, message);
            }
        }

        public override void Complete(Exception? error) => window.Release(error);
    }

    private sealed class RowWrite(Window window, Action<IStoreBatch> add) : StoreWrite
    {
        public override void AddTo(IStoreBatch batch) => add(batch);

        public override void Complete(Exception? error) => window.Release(error);
    }

    /// <summary>Keeps so many writes outstanding; disposal waits for all.</summary>
    private sealed class Window(SqliteMessageStore store, int size) : IDisposable
    {
        private readonly object _gate = new();
        private Exception? _error;
        private int _outstanding;

        public void Post(Action<IStoreBatch> add) => Post(new RowWrite(this, add));

        public void Post(StoreWrite write)
        {
            lock (_gate)
            {
                while (_outstanding == size)
                {
                    Monitor.Wait(_gate);
                }

                _outstanding++;
            }

            store.Post(write);
        }

        public void Release(Exception? error)
        {
            lock (_gate)
            {
                _error ??= error;
                _outstanding--;
                Monitor.Pulse(_gate);
            }
        }

        public void Dispose()
        {
            lock (_gate)
            {
                while (_outstanding > 0)
                {
                    Monitor.Wait(_gate);
                }
            }

            if (_error is not null)
            {
                throw new InvalidOperationException("A write failed.", _error);
            }
        }
    }

    private sealed class Measure(SqliteMessageStore store)
    {
        private readonly long _started = Stopwatch.GetTimestamp();
        private readonly TimeSpan _cpu = Process.GetCurrentProcess().TotalProcessorTime;
        private readonly long _commits = store.Metrics.Commits;

        public void Print(string what, long count)
        {
            var elapsed = Stopwatch.GetElapsedTime(_started);
            var cpu = Process.GetCurrentProcess().TotalProcessorTime - _cpu;
            var commits = store.Metrics.Commits - _commits;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{what,-66} {count / elapsed.TotalSeconds,10:N0}/s {cpu.TotalMicroseconds / count,7:F2} us CPU"
                    + $" {(commits > 0 ? (double)count / commits : 0),8:F1} per commit"));
        }
    }
}
