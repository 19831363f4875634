using Broker.Grains.Tests.Storage;
using Broker.Protocol;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;

namespace Broker.Deploy.Tests;

/// <summary>The published program in the layout of the image: a root that cannot be written, a user that is not root.</summary>
public sealed class ImageLayoutTests(PublishedProgram program) : IClassFixture<PublishedProgram>
{
    private static readonly ConnectOptions Durable = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "client");

    [ImageFact]
    public async Task A_single_broker_writes_to_its_volume_only_and_keeps_what_it_has_acknowledged()
    {
        await using var broker = new ImageProcess(program.Path, hasData: true);
        await broker.StartAsync();
        AssertConfined(broker.ProcessId);
        await using (var client = await ScriptedClient.ConnectAsync(broker.Mqtt, Durable))
        {
            await client.SubscribeAsync("t", 1);
            await client.DisconnectAsync();
        }

        await using (var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions(ProtocolVersion.Mqtt5)))
        {
            await publisher.PublishAsync("t", "kept", 1);
        }

        Assert.Equal(0, (await broker.RunAsync(Dockerfile.Read().HealthCheck)).ExitCode);
        Assert.Equal(0, await broker.TerminateAsync());
        await broker.StartAsync();

        await using var again = await ScriptedClient.ConnectAsync(broker.Mqtt, Durable);
        Assert.True(again.ConnAck.SessionPresent);
        await again.ExpectPublishAsync("t", "kept");
        Assert.Contains("broker.db", Directory.GetFiles(broker.DataDirectory).Select(Path.GetFileName));
    }

    [ImageFact]
    public async Task A_silo_over_PostgreSQL_needs_no_volume()
    {
        await using var database = await PostgresTestServer.StartNewAsync();
        await using var broker = new ImageProcess(program.Path, hasData: false)
        {
            Settings = new Dictionary<string, string>
            {
                ["Store:Kind"] = "Postgres",
                ["Store:ConnectionString"] = await database.CreateDatabaseAsync(),
            },
        };
        await broker.StartAsync();
        AssertConfined(broker.ProcessId);

        await using var client = await ScriptedClient.ConnectAsync(broker.Mqtt, Durable);
        await client.SubscribeAsync("t", 1);
        await client.PublishAsync("t", "stored", 1);
        await client.ExpectPublishAsync("t", "stored");

        var (code, text) = await broker.RunAsync([.. Dockerfile.Read().EntryPoint, "health"]);
        Assert.Equal((0, """{"status":"ready","causes":[]}"""), (code, text.Trim()));
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [ImageFact]
    public async Task Health_fails_with_one_line_when_nobody_answers()
    {
        await using var broker = new ImageProcess(program.Path, hasData: false);

        var (code, text) = await broker.RunAsync(Dockerfile.Read().HealthCheck);

        Assert.Equal(1, code);
        Assert.StartsWith("broker: no broker answers at http://127.0.0.1:", text, StringComparison.Ordinal);
        Assert.Single(text.Trim().Split('\n'));
    }

    [ImageFact]
    public async Task A_volume_that_cannot_be_written_is_named_at_the_start()
    {
        await using var broker = new ImageProcess(program.Path, hasData: false);

        var (code, text) = await broker.RunAsync([.. Dockerfile.Read().EntryPoint, "--mqtt", "0"]);

        Assert.Equal(1, code);
        Assert.Contains("the data folder /data cannot be written", text, StringComparison.Ordinal);
    }

    /// <summary>The test is worth something only when the process is in fact not root, and its root is in fact read-only.</summary>
    private static void AssertConfined(int process)
    {
        var status = File.ReadAllLines($"/proc/{process}/status");
        Assert.All(["Uid:", "Gid:"], id => Assert.DoesNotContain("0", status.Single(line => line.StartsWith(id, StringComparison.Ordinal)).Split('\t')[1..]));
        Assert.Matches("^CapEff:\t0+$", status.Single(static line => line.StartsWith("CapEff:", StringComparison.Ordinal)));
        var root = File.ReadAllLines($"/proc/{process}/mountinfo").Select(static line => line.Split(' ')).Where(static mount => mount[4] == "/").Last();
        Assert.Contains("ro", root[^1].Split(','));
    }
}
