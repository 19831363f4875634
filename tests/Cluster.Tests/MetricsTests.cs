using Broker.TestKit.Checks;

namespace Broker.Cluster.Tests;

/// <summary>Metrics and readiness of a silo: by cause, and by the names of the document.</summary>
public sealed class MetricsTests(ITestOutputHelper output) : ClusterTest(output, silos: 2)
{
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task The_names_are_those_of_the_document_and_a_database_that_is_away_is_a_cause_of_its_own()
    {
        var page = await ReadAsync(0);
        Assert.Equal(MetricsDocument.Expected(isCluster: true), MetricsDocument.Actual(page));
        Assert.Equal(2, page["broker_silos"]);
        Assert.Equal(1, page["broker_ready"]);

        await Cluster.Server.CrashAsync();
        await Eventually.TrueAsync(
            async () => (await ReadAsync(0))["broker_ready_obstacle{cause=\"database\"}"] == 1, Recovery, () => Cluster.Log);
        page = await ReadAsync(0);
        Assert.Equal(0, page["broker_ready"]);
        Assert.Equal(0, page["broker_ready_obstacle{cause=\"silo\"}"]);
        Assert.Equal(0, page["broker_ready_obstacle{cause=\"index\"}"]);
        Assert.Contains("the database has not answered for", await Cluster.ObstacleAsync(0), StringComparison.Ordinal);

        // Nobody gains by a restart of the silo: it is alive.
        using var live = await Http.GetAsync(new Uri(Cluster.Silos[0].Http, "/health/live"));
        Assert.True(live.IsSuccessStatusCode);

        await Cluster.Server.StartAsync();
        await Eventually.TrueAsync(async () => (await ReadAsync(0))["broker_ready"] == 1, Recovery, () => Cluster.Log);
    }

    private async Task<PrometheusText> ReadAsync(int silo)
    {
        // From the interface of this machine the silo is local, and metrics need no administrator.
        return new PrometheusText(await Http.GetStringAsync(new Uri(Cluster.Silos[silo].Http, "/metrics")));
    }
}
