using System.Diagnostics;
using Broker.Grains.Tests.Storage;
using Broker.TestKit.Checks;

namespace Broker.Cluster.Tests;

/// <summary>All silos are replaced, one by one and under load, by a build with another version number.</summary>
public sealed class UpgradeTests(ITestOutputHelper output) : BalancedTest(output, silos: 3)
{
    private const string Next = "99.1.0";

    private static readonly HttpClient Http = new();

    [BalancedFact(IsLong = true)]
    public async Task Silos_of_two_versions_work_side_by_side_and_nothing_is_lost()
    {
        using var folder = new TemporaryFolder();
        var program = await BuildAsync(folder.Path);
        var former = await VersionsAsync();
        await using var balancer = await Balancer.StartAsync(Cluster, Network);
        await using var workload = Workload.OfBothQos(Cluster, new Random(Seed), ProtocolVersion.Mqtt5, "upgrade/");
        await workload.StartAsync();
        await using var crowd = new Crowd(balancer.Address, wills: null);
        await crowd.AddAsync(150);
        await workload.ProgressAsync(200, Recovery);
        for (var silo = 0; silo < Cluster.Silos.Count; silo++)
        {
            await Cluster.StopAsync(silo);
            Cluster.Silos[silo].Program = program;
            await workload.ProgressAsync(200, Recovery);
            await Cluster.StartAsync(silo);
            await balancer.SeesAsync([0, 1, 2], Recovery);
            await workload.ProgressAsync(200, Recovery);
            var versions = await VersionsAsync();
            Say($"{string.Join(", ", versions)}: {workload.Acknowledged} acknowledged so far");
            Assert.Equal(silo + 1, versions.Count(static version => version == Next));
        }

        await Eventually.TrueAsync(() => crowd.Connected == 150, Recovery, () => $"{crowd}");
        Say($"{former[0]} to {Next}: {await workload.FinishAsync($"upgrade, seed {Seed}")}; {crowd}");
        Assert.Equal(0, crowd.WithoutSession);
        Assert.Equal(0, workload.Refusals);
    }

    /// <summary>Builds the program with another version number, beside the build that the tests belong to.</summary>
    private static async Task<string> BuildAsync(string folder)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = RepositoryPaths.Root, RedirectStandardOutput = true }.With(
            "publish", "src/Gateway/Gateway.csproj", "--configuration", "Release", "--nologo", "--artifacts-path", Path.Combine(folder, "artifacts"),
            "--output", Path.Combine(folder, "app"), $"-p:VersionPrefix={Next}", "-p:PublishReadyToRun=false");
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, text);
        return Path.Combine(folder, "app", "Broker.Gateway.dll");
    }

    /// <summary>Version of each silo, as its metrics say.</summary>
    private async Task<IReadOnlyList<string>> VersionsAsync() => await Task.WhenAll(Cluster.Silos.Select(static async silo =>
    {
        var page = new PrometheusText(await Http.GetStringAsync(new Uri(silo.Http, "/metrics")));
        return page.Series.Single(static series => series.StartsWith("broker_info{", StringComparison.Ordinal)).Split('"')[1];
    }));
}
