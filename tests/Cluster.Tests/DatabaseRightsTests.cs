using System.Text.RegularExpressions;
using Broker.Grains.Tests.Storage;
using Npgsql;

namespace Broker.Cluster.Tests;

/// <summary>A silo whose user may not change the schema.</summary>
public sealed partial class DatabaseRightsTests(ITestOutputHelper output) : ClusterTest(output, silos: 1)
{
    [Fact]
    public async Task Rights_that_the_documentation_lists_are_enough()
    {
        // The first silo has created the schema, as its owner.
        var database = new NpgsqlConnectionStringBuilder(Cluster.Database).Database;
        await PostgresTestServer.ExecuteAsync(
            Cluster.Database,
            $"""
             CREATE ROLE broker LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC; REVOKE CONNECT ON DATABASE {database} FROM PUBLIC;
             {Documented().Replace("DATABASE broker ", $"DATABASE {database} ", StringComparison.Ordinal)}
             """);
        var plain = new NpgsqlConnectionStringBuilder(Cluster.Database) { Username = "broker" }.ConnectionString;
        Assert.NotEqual(Cluster.Database, plain);
        await using var silo = new BrokerProcess
        {
            Settings = new Dictionary<string, string>
            {
                ["Store:Kind"] = "Postgres",
                ["Store:ConnectionString"] = plain,
            },
        };
        await silo.StartAsync();
        var durable = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "durable");
        await using (var client = await ScriptedClient.ConnectAsync(silo.Mqtt, durable))
        {
            await client.SubscribeAsync("kept", 2);
        }

        await using (var publisher = await ScriptedClient.ConnectAsync(silo.Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "publisher")))
        {
            await publisher.PublishAsync("kept", "once", qos: 2);
            await publisher.PublishAsync("kept", "retained", qos: 1, retain: true);
        }

        // Through the silo of the owner, which takes over what the other one has written.
        await using var back = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt, durable);
        Assert.True(back.ConnAck.SessionPresent);
        Assert.Equal("once", (await back.ExpectAsync(PacketType.Publish)).Text);
        Assert.Equal("retained", (await back.PickAsync(static p => p.Type == PacketType.Publish, "the second message")).Text);
    }

    private static string Documented() =>
        SqlBlock().Match(File.ReadAllText(Path.Combine(RepositoryPaths.Root, "docs", "operations.md"))).Groups["sql"].Value;

    [GeneratedRegex("```sql\\n(?<sql>.*?)```", RegexOptions.Singleline)]
    private static partial Regex SqlBlock();
}
