using System.Diagnostics;
using System.Globalization;
using Broker.Grains.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <summary>Promise 1, as far as the store goes: what it acknowledged survives <c>kill -9</c>.</summary>
public sealed class SqliteKillTests
{
    private const int Kills = 8;
    private const int Seed = 20_261_124;

    [Fact]
    public async Task Every_acknowledged_row_survives_kill_9_at_random_moments()
    {
        var directory = new TemporaryDirectory();
        var path = Path.Combine(directory.Path, "broker.db");
        var random = new Random(Seed);
        var present = new Dictionary<long, long>();
        for (var kill = 0; kill < Kills; kill++)
        {
            var (put, deleted) = await RunAndKillAsync(path, lines: random.Next(1, 5_000));
            foreach (var (sequence, message) in put)
            {
                present[sequence] = message;
            }

            foreach (var sequence in deleted.Keys)
            {
                present.Remove(sequence);
            }

            await CheckAsync(path, present, deleted);
        }

        directory.Delete();
    }

    private static async Task<(Dictionary<long, long> Put, Dictionary<long, long> Deleted)> RunAndKillAsync(
        string path, int lines)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(StoreChild).Assembly.Location);
        start.Environment[StoreChild.PathVariable] = path;
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StoreChild).Assembly.Location;
        using var process = Process.Start(start)!;
        var put = new Dictionary<long, long>();
        var deleted = new Dictionary<long, long>();
        var killed = false;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            // What is in the pipe at the time of the kill was acknowledged as well. The last line may be half a line.
            var text = await process.StandardOutput.ReadLineAsync(patience.Token);
            while (text is not null)
            {
                var next = await process.StandardOutput.ReadLineAsync(patience.Token);
                if (next is not null)
                {
                    var parts = text.Split(' ');
                    var sequence = long.Parse(parts[1], CultureInfo.InvariantCulture);
                    (parts[0] == "+" ? put : deleted)[sequence] = long.Parse(parts[2], CultureInfo.InvariantCulture);
                }

                if (!killed && put.Count + deleted.Count >= lines)
                {
                    process.Kill();
                    killed = true;
                }

                text = next;
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        Assert.True(killed, $"The child ended by itself with code {process.ExitCode}.");
        return (put, deleted);
    }

    /// <summary>Acknowledged rows are there, deleted ones are not, and every delivery has its body. Others may be either way:
    /// they take the place of what is known.</summary>
    private static async Task CheckAsync(string path, Dictionary<long, long> present, Dictionary<long, long> deleted)
    {
        await using var store = new SqliteMessageStore(
            new SqliteStoreOptions { Path = path }, NullLogger<SqliteMessageStore>.Instance);
        var state = await store.OpenedAsync();
        var session = Assert.Single(state.Sessions).Number;
        var rows = await store.LoadDeliveriesAsync(session, CancellationToken.None);
        var found = rows.ToDictionary(row => row.Sequence, row => row.Message);
        var unacknowledgedDeletions = present.Keys.Where(sequence => !found.ContainsKey(sequence)).ToList();
        var messages = await store.LoadMessagesAsync(rows.ConvertAll(row => row.Message), CancellationToken.None);

        // The child deletes the oldest first: what is missing must be older than everything found.
        Assert.All(unacknowledgedDeletions, sequence => Assert.True(sequence < rows[0].Sequence, $"lost {sequence}"));
        Assert.True(unacknowledgedDeletions.Count <= 64, $"{unacknowledgedDeletions.Count} rows are missing");
        Assert.DoesNotContain(rows, row => deleted.ContainsKey(row.Sequence));
        Assert.Equal(rows.Count, messages.Count);
        Assert.All(rows, row => Assert.Equal(
            StoreChild.Body(row.Sequence), System.Text.Encoding.UTF8.GetString(messages[row.Message].Payload)));
        present.Clear();
        foreach (var (sequence, message) in found)
        {
            present[sequence] = message;
        }

        await store.DisposeAsync();
        using var database = new SqliteDatabase(path, readOnly: false);
        Assert.Equal(rows.Count, database.Scalar("SELECT count(*) FROM message"));
        Assert.Equal(0, database.Scalar("SELECT count(*) FROM message_reference"));
        using var check = database.Prepare("PRAGMA integrity_check");
        Assert.True(check.Step());
        Assert.Equal("ok", check.Text(0));
    }
}
