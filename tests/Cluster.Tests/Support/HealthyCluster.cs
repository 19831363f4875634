namespace Broker.Cluster.Tests.Support;

/// <summary>Three silos for all tests that leave them as they were; started once, ended after the last of these tests.</summary>
public sealed class HealthyCluster : IAsyncLifetime
{
    private LocalCluster? _cluster;

    internal LocalCluster Cluster => _cluster!;

    public async Task InitializeAsync() => _cluster = await LocalCluster.OfAsync(3);

    public async Task DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }
}
