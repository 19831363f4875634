using System.Globalization;

namespace Broker.Cluster.Tests.Support;

/// <summary>A test with a cluster of its own.</summary>
[Collection("cluster")]
public abstract class ClusterTest(ITestOutputHelper output) : IAsyncLifetime
{
    private LocalCluster? _cluster;

    private protected LocalCluster Cluster => _cluster!;

    /// <summary>Decides every random choice of the test; BROKER_TEST_SEED repeats one.</summary>
    protected int Seed { get; } = Environment.GetEnvironmentVariable("BROKER_TEST_SEED") is { Length: > 0 } given
        ? int.Parse(given, CultureInfo.InvariantCulture)
        : Random.Shared.Next();

    public async Task InitializeAsync() => _cluster = await LocalCluster.OfAsync(3);

    public async Task DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    protected void Say(string line)
    {
        output.WriteLine(line);
        global::Broker.Tests.Support.Progress.Report(line);
    }
}
