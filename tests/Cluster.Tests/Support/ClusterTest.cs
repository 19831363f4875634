using System.Globalization;

namespace Broker.Cluster.Tests.Support;

/// <summary>A test with a cluster of its own.</summary>
[Collection("cluster")]
public abstract class ClusterTest(ITestOutputHelper output, int silos = 3) : IAsyncLifetime
{
    private LocalCluster? _cluster;

    private protected LocalCluster Cluster => _cluster!;

    /// <summary>The network that the cluster runs in; null when it is the one of the tests.</summary>
    private protected SiloNetwork? OptionalNetwork { get; private set; }

    /// <summary>Whether the cluster runs in a network of its own, where there can be one.</summary>
    protected virtual bool NeedsNetwork => false;

    /// <summary>How many silos are started before the test; null: all.</summary>
    protected virtual int? InitialSilos => null;

    /// <summary>Decides every random choice of the test; BROKER_TEST_SEED repeats one.</summary>
    protected int Seed { get; } = NewSeed();

    public async Task InitializeAsync()
    {
        OptionalNetwork = NeedsNetwork && SiloNetwork.Obstacle is null ? await SiloNetwork.OfAsync(silos) : null;
        try
        {
            _cluster = await LocalCluster.OfAsync(silos, OptionalNetwork, Settings, InitialSilos);
        }
        catch
        {
            // Nobody disposes of a test that could not be set up.
            await DisposeAsync();
            throw;
        }
    }

    public async Task DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        if (OptionalNetwork is not null)
        {
            await OptionalNetwork.DisposeAsync();
        }
    }

    /// <summary>Settings of the silos beyond the usual ones.</summary>
    protected virtual IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>();

    protected void Say(string line) => Say(output, line);

    internal static int NewSeed() => Environment.GetEnvironmentVariable("BROKER_TEST_SEED") is { Length: > 0 } given
        ? int.Parse(given, CultureInfo.InvariantCulture)
        : Random.Shared.Next();

    internal static void Say(ITestOutputHelper output, string line)
    {
        output.WriteLine(line);
        global::Broker.Tests.Support.Progress.Report(line);
    }
}
