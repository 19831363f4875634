using Broker.Grains.Cluster;
using Broker.Grains.Storage;
using Npgsql;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <summary>Whether anybody is left in the group of a shared subscription.</summary>
public sealed class PostgresGroupTests
{
    [Theory]
    [InlineData("$share/g/a/#")]
    [InlineData("$queue/a/#")]
    public async Task Group_has_a_member_as_long_as_a_session_of_any_silo_subscribes_to_its_filter(string filter)
    {
        await using var pair = await PostgresPair.OpenAsync();
        await using var store = pair.NewCluster();
        var session = await pair.Second.NewSessionAsync("member");
        await pair.Second.WriteAsync(batch => batch.PutSubscription(new SubscriptionRow(session, "a/#", 1, 0)));
        Assert.False(await store.HasMemberAsync(filter, CancellationToken.None));

        await pair.Second.WriteAsync(batch => batch.PutSubscription(new SubscriptionRow(session, filter, 1, 0)));
        Assert.True(await store.HasMemberAsync(filter, CancellationToken.None));

        await pair.Second.WriteAsync(batch => batch.DeleteSession(session));
        Assert.False(await store.HasMemberAsync(filter, CancellationToken.None));
    }

    /// <summary>Among many subscriptions that are no group's, the question reads a few pages of an index of groups.</summary>
    [Theory]
    [InlineData("auto")]
    [InlineData("force_generic_plan")]
    public async Task Question_for_a_member_is_answered_by_the_index_of_groups(string plan)
    {
        await using var pair = await PostgresPair.OpenAsync();
        await PostgresTestServer.ExecuteAsync(
            pair.ConnectionString,
            """
            INSERT INTO broker_subscription (session, filter_key, filter, options, identifier)
            SELECT 1000000 + n, gen_random_uuid(), CASE WHEN n % 100 = 0 THEN '$share/g' || n || '/t' ELSE 'devices/' || n END, 1, 0
            FROM generate_series(1, 20000) n;
            ANALYZE broker_subscription;
            """);
        await using var connection = new NpgsqlConnection(pair.ConnectionString);
        await connection.OpenAsync();
        await using var prepare = new NpgsqlCommand($"SET plan_cache_mode = {plan}; PREPARE has_member (uuid) AS {ClusterStore.HasMember}", connection);
        await prepare.ExecuteNonQueryAsync();
        await using var explain = new NpgsqlCommand("EXPLAIN EXECUTE has_member ('00000000-0000-0000-0000-000000000001')", connection);
        await using var reader = await explain.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync())
        {
            lines.Add(reader.GetString(0));
        }

        var text = string.Join('\n', lines);
        Assert.Contains("broker_subscription_group", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Seq Scan", text, StringComparison.Ordinal);
    }
}
