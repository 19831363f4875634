using Broker.Grains.Tests.Storage;

namespace Broker.Cluster.Tests;

/// <summary>Delayed messages whose silo is killed: another one publishes them, each once (promise 2).</summary>
public sealed class DelayedTests(ITestOutputHelper output) : ClusterTest(output, silos: 2)
{
    private const int Count = 120;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [ChaosFact]
    public async Task Silo_that_is_killed_while_it_publishes_leaves_every_message_to_the_other_once_and_in_order()
    {
        // One that is connected elsewhere, and one whose session the dead silo has.
        await using var reader = await SubscribeAsync(1, "reader");
        await (await SubscribeAsync(0, "away")).DisposeAsync();
        await using (var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt))
        {
            for (var i = 0; i < Count; i++)
            {
                // Some before the kill, most while it happens and after.
                await publisher.PublishAsync($"$delayed/{3 + (i * 5 / Count)}/t", $"{i}", 2);
            }
        }

        var seen = new List<string>();
        while (seen.Count < Count)
        {
            seen.Add((await NextAsync(reader, $"message {seen.Count}")).Text);
            if (seen.Count == Count / 2)
            {
                await Cluster.KillAsync(0);
            }
        }

        Assert.Equal(Enumerable.Range(0, Count).Select(static i => $"{i}"), seen);
        await using var back = await ScriptedClient.ConnectAsync(
            Cluster.Silos[1].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "away") with { AcknowledgesByItself = true });
        await using var last = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt);

        // Whatever was to come a second time would be before this one.
        await last.PublishAsync("$delayed/2/t", "end", 2);
        Assert.Equal("end", (await NextAsync(reader, "the end")).Text);
        var missed = new List<string>();
        while (missed.Count == 0 || missed[^1] != "end")
        {
            missed.Add((await NextAsync(back, $"message {missed.Count} of the other")).Text);
        }

        Assert.Equal([.. Enumerable.Range(0, Count).Select(static i => $"{i}"), "end"], missed);
    }

    [Fact]
    public async Task Messages_survive_the_death_of_all_silos_and_are_published_once_also_those_that_some_have_already()
    {
        await using (var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt))
        {
            await (await SubscribeAsync(1, "reader")).DisposeAsync();
            for (var i = 0; i < 20; i++)
            {
                await publisher.PublishAsync("$delayed/5/t", $"{i}", 1 + (i % 2));
            }
        }

        await Task.WhenAll(Cluster.KillAsync(0), Cluster.KillAsync(1));

        // As if the silo had died after it had published some of them: the reader has two, and nobody knows who else has.
        await PostgresTestServer.ExecuteAsync(
            Cluster.Database,
            """
            UPDATE broker_delayed SET message = id WHERE id IN (SELECT id FROM broker_delayed WHERE flags = 2 ORDER BY id LIMIT 5);
            WITH had AS (SELECT * FROM broker_delayed WHERE message IS NOT NULL ORDER BY id LIMIT 2),
            numbered AS (SELECT row_number() OVER () AS n, * FROM had),
            body AS (
                INSERT INTO broker_message
                SELECT -n, id, flags, expires_at, publisher, topic_length, properties_length, body FROM numbered)
            INSERT INTO broker_delivery (session, sequence, message, size, flags, in_doubt)
                SELECT s.number, n, -n, length(body), flags, id FROM numbered, broker_session s WHERE s.client_id = 'reader'
            """);
        await Task.WhenAll(Cluster.StartAsync(0), Cluster.StartAsync(1));
        await Cluster.ReadyAsync(Limit, 0, 1);

        await using var reader = await ScriptedClient.ConnectAsync(
            Cluster.Silos[1].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "reader") with { AcknowledgesByItself = true });
        await using var last = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt);
        await last.PublishAsync("$delayed/8/t", "end", 1);
        var seen = new List<string>();
        while (seen.Count == 0 || seen[^1] != "end")
        {
            seen.Add((await NextAsync(reader, $"message {seen.Count}")).Text);
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(static i => $"{i}").Order(), seen[..^1].Order());
        Assert.Equal(0, await PostgresTestServer.ScalarAsync<long>(Cluster.Database, "SELECT count(*) FROM broker_delayed"));
    }

    private static Task<ReceivedPacket> NextAsync(ScriptedClient client, string what) =>
        client.PickAsync(static packet => packet.Type == PacketType.Publish, what, Limit);

    private async Task<ScriptedClient> SubscribeAsync(int silo, string clientId)
    {
        var client = await ScriptedClient.ConnectAsync(
            Cluster.Silos[silo].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, clientId) with { AcknowledgesByItself = true });
        await client.SubscribeAsync("t", 2);
        return client;
    }
}
