namespace Broker.Cluster.Tests.Support;

/// <summary>
/// A test that stops, kills and reconfigures nothing: it shares its cluster with others of the kind. Its client ids, topics and
/// groups are its own.
/// </summary>
[Collection(Name)]
public abstract class HealthyClusterTest(ITestOutputHelper output, HealthyCluster healthy)
{
    private const string Name = "healthy cluster";

    private protected LocalCluster Cluster => healthy.Cluster;

    /// <inheritdoc cref="ClusterTest.Seed" />
    protected int Seed { get; } = ClusterTest.NewSeed();

    protected void Say(string line) => ClusterTest.Say(output, line);

    /// <summary>Tells xunit what the tests of the collection share.</summary>
    [CollectionDefinition(Name)]
    public sealed class Definition : ICollectionFixture<HealthyCluster>;
}
