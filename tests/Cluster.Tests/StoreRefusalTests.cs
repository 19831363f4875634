namespace Broker.Cluster.Tests;

/// <summary>A silo that nothing would help but another configuration does not wait.</summary>
public sealed class StoreRefusalTests(ITestOutputHelper output) : ClusterTest(output, silos: 1)
{
    [Fact]
    public async Task A_database_that_refuses_the_user_ends_the_start_at_once_with_one_line()
    {
        await using var silo = new BrokerProcess
        {
            Settings = new Dictionary<string, string>
            {
                ["Store:Kind"] = "Postgres",
                ["Store:ConnectionString"] = Cluster.Database.Replace("Username=postgres", "Username=nobody_knows", StringComparison.Ordinal),
            },
        };

        var refusal = await Assert.ThrowsAsync<TestFailureException>(silo.StartAsync);

        Assert.StartsWith("the broker exited with 1", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("28000", refusal.Message, StringComparison.Ordinal);
        Assert.Single(refusal.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1));
    }
}
