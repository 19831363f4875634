namespace Broker.Cluster.Tests.Support;

/// <summary>Three silos for all tests that leave them as they were; started once, ended after the last of these tests.</summary>
public sealed class HealthyCluster : IAsyncLifetime
{
    // Groups are named after their strategy; all others go in turn.
    private static readonly Dictionary<string, string> Settings = new()
    {
        ["Shared:Strategies"] = "sticky=sticky,client=hash_client_id,topic=hash_topic,least=least_inflight,random=random",
    };

    private LocalCluster? _cluster;

    internal LocalCluster Cluster => _cluster!;

    public async Task InitializeAsync() => _cluster = await LocalCluster.OfAsync(3, settings: Settings);

    public async Task DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }
}
