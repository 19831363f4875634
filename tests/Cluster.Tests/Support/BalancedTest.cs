namespace Broker.Cluster.Tests.Support;

/// <summary>A test whose clients know one address, that of HAProxy. Its facts are <see cref="BalancedFactAttribute"/>.</summary>
public abstract class BalancedTest(ITestOutputHelper output, int silos) : ClusterTest(output, silos)
{
    // Detection, adoption, reconnects and two looks of the balancer, on a machine that has two cores for all of it.
    private protected static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);

    private protected SiloNetwork Network => OptionalNetwork!;

    protected override bool NeedsNetwork => true;

    /// <summary>The administrator's: silos are other machines here.</summary>
    protected const string Token = "an administrator's token";

    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        // More than two looks of the balancer, as docs/operations.md says.
        ["Shutdown:NoticeTime"] = "3s",
        ["Metrics:Access"] = "Anyone",
        ["Admin:Token"] = Token,
    };
}
