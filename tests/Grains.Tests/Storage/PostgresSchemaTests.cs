using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres.Schema;
using Npgsql;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <summary>Creation and migration of the schema.</summary>
public sealed class PostgresSchemaTests
{
    [Fact]
    public async Task Silos_that_start_together_create_the_schema_once_and_the_next_has_nothing_to_do()
    {
        var database = await EmptyDatabaseAsync();

        var runs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SchemaMigration.RunAsync(database, CancellationToken.None)));

        Assert.Single(runs, static run => run.Count > 0);
        Assert.Empty(await SchemaMigration.RunAsync(database, CancellationToken.None));
    }

    [Fact]
    public async Task An_older_script_is_run_again_and_a_newer_one_is_let_be()
    {
        var database = await EmptyDatabaseAsync();
        await SchemaMigration.RunAsync(database, CancellationToken.None);
        await PostgresTestServer.ExecuteAsync(
            database,
            "UPDATE broker_schema SET version = 0 WHERE name = 'broker'; UPDATE broker_schema SET version = 1000 WHERE name = 'clustering'");

        var run = await SchemaMigration.RunAsync(database, CancellationToken.None);

        Assert.StartsWith("broker ", Assert.Single(run), StringComparison.Ordinal);
        Assert.Equal(1000, await PostgresTestServer.ScalarAsync<int>(database, "SELECT version FROM broker_schema WHERE name = 'clustering'"));
    }

    [Fact]
    public async Task A_user_without_the_right_is_told_all_scripts_to_run_and_needs_none_once_they_were()
    {
        var database = await EmptyDatabaseAsync();
        await PostgresTestServer.ExecuteAsync(
            database,
            """
            DO $$ BEGIN CREATE ROLE broker_plain LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
            REVOKE CREATE ON SCHEMA public FROM PUBLIC;
            """);
        var plain = new NpgsqlConnectionStringBuilder(database) { Username = "broker_plain" }.ConnectionString;

        var refusal = await Assert.ThrowsAsync<StoreOpenException>(() => SchemaMigration.RunAsync(plain, CancellationToken.None));
        Assert.Contains("'broker_plain'", refusal.Message, StringComparison.Ordinal);
        Assert.All(SchemaScript.All, script => Assert.Contains($" {script.File} version {script.Version}", refusal.Message, StringComparison.Ordinal));

        await SchemaMigration.RunAsync(database, CancellationToken.None);
        refusal = await Assert.ThrowsAsync<StoreOpenException>(() => SchemaMigration.RunAsync(plain, CancellationToken.None));
        Assert.Contains("permission denied for table broker_schema", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("give the user the rights", refusal.Message, StringComparison.Ordinal);

        await PostgresTestServer.ExecuteAsync(database, "GRANT SELECT ON broker_schema TO broker_plain");
        Assert.Empty(await SchemaMigration.RunAsync(plain, CancellationToken.None));
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_named()
    {
        var refusal = await Assert.ThrowsAsync<StoreOpenException>(
            () => SchemaMigration.RunAsync("Host=127.0.0.1;Port=1;Database=none;Username=none", CancellationToken.None));

        Assert.Contains("127.0.0.1:1/none", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<string> EmptyDatabaseAsync()
    {
        var server = await PostgresTestServer.SharedAsync();
        return await server.CreateDatabaseAsync("template1");
    }
}
