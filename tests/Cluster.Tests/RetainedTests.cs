using System.Globalization;
using System.Net.Sockets;
using Npgsql;

namespace Broker.Cluster.Tests;

/// <summary>The newest retained message wins on every silo and in the database.</summary>
public sealed class RetainedTests(ITestOutputHelper output) : ClusterTest(output)
{
    private const int PublishersPerSilo = 3;
    private const int Topics = 8;

    // A takeover, and a machine that does other things as well.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // What a silent subscriber would have got by then.
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(400);

    private int _published;

    [Fact]
    public async Task Topics_set_and_cleared_through_all_silos_at_once_are_the_same_everywhere()
    {
        Say($"seed {Seed}");
        await WhilePublishingAsync(() => PublishedAsync(1500), [0, 1, 2], []);
        await AgreeAsync("after many publishers at once", 0, 1, 2);

        // A silo that dies leaves publishes that reached some of the others, or the database, or neither.
        await WhilePublishingAsync(
            async () =>
            {
                await PublishedAsync(500);
                await Cluster.KillAsync(2);
            },
            [0, 1, 2], [2]);
        await AgreeAsync("after a silo was killed", 0, 1);

        await WhilePublishingAsync(() => Cluster.StartAsync(2), [0, 1], []);
        await AgreeAsync("after a silo has joined while others publish", 0, 1, 2);

        await WhilePublishingAsync(
            async () =>
            {
                await PublishedAsync(500);
                await Task.WhenAll(Enumerable.Range(0, 3).Select(Cluster.KillAsync));
            },
            [0, 1, 2], [0, 1, 2]);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(Cluster.StartAsync));
        await AgreeAsync("after all silos were killed", 0, 1, 2);
    }

    private Task PublishedAsync(int more)
    {
        var goal = Volatile.Read(ref _published) + more;
        return Eventually.TrueAsync(() => Volatile.Read(ref _published) >= goal, Limit, () => $"{more} publishes\n{Cluster.Log}");
    }

    private async Task WhilePublishingAsync(Func<Task> action, int[] silos, int[] dying)
    {
        using var stop = new CancellationTokenSource();
        List<Task> publishers =
        [
            .. silos.SelectMany(silo => Enumerable.Range(0, PublishersPerSilo)
                .Select(number => PublishAsync(silo, new Random(Seed + (silo * PublishersPerSilo) + number), dying.Contains(silo), stop.Token))),
        ];
        await action();
        await stop.CancelAsync();
        await Task.WhenAll(publishers);
    }

    /// <summary>Sets and clears, at QoS 0 and 1, until told to stop or its silo is gone.</summary>
    private async Task PublishAsync(int silo, Random random, bool mayDie, CancellationToken stop)
    {
        await using var client = await ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt);
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var text = random.Next(3) == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{silo}:{random.Next()}");
                await client.PublishAsync($"retained/{random.Next(Topics)}", text, qos: random.Next(3) == 0 ? 0 : 1, retain: true);
                Interlocked.Increment(ref _published);
            }

            await client.PingAsync();
        }
        catch (Exception error) when (error is TestFailureException or SocketException && client.IsClosed && mayDie)
        {
            // The silo was killed.
        }
    }

    private async Task AgreeAsync(string when, params int[] silos)
    {
        var last = "";
        await Eventually.TrueAsync(
            async () =>
            {
                var row = Text(await RowsAsync());
                var replays = await Task.WhenAll(silos.Select(async silo => Text(await ReplayAsync(silo))));
                last = $"rows: {row}\n{string.Join('\n', replays.Select((replay, i) => $"silo {silos[i]}: {replay}"))}";
                return Array.TrueForAll(replays, replay => replay == row);
            },
            Limit,
            () => $"seed {Seed}, {when}:\n{last}\n{Cluster.Log}");
        Say($"{when}, {_published} publishes:\n{last}");
    }

    private async Task<SortedDictionary<string, string>> ReplayAsync(int silo)
    {
        await using var client = await ScriptedClient.ConnectAsync(
            Cluster.Silos[silo].Mqtt, new ConnectOptions { AcknowledgesByItself = true });
        await client.SubscribeAsync("retained/#", qos: 1);
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        try
        {
            while (true)
            {
                var packet = await client.NextAsync(Silence);
                Assert.True(packet.Retain && found.TryAdd(packet.Topic, packet.Text), $"silo {silo}: {packet}");
            }
        }
        catch (TestFailureException) when (!client.IsClosed)
        {
            return found;
        }
    }

    private async Task<SortedDictionary<string, string>> RowsAsync()
    {
        await using var source = NpgsqlDataSource.Create(Cluster.Database);
        await using var command = source.CreateCommand(
            """
            SELECT topic, convert_from(substr(body, topic_length + properties_length + 1), 'UTF8') FROM broker_retained
            WHERE topic LIKE 'retained/%' AND body <> ''
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync())
        {
            found.Add(reader.GetString(0), reader.GetString(1));
        }

        return found;
    }

    private static string Text(SortedDictionary<string, string> topics) => string.Join(", ", topics.Select(static t => $"{t.Key}={t.Value}"));
}
