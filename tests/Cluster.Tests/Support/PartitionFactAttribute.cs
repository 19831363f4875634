namespace Broker.Cluster.Tests.Support;

/// <summary>A test that cuts network links: skipped, with the reason, where namespaces cannot be made.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PartitionFactAttribute : FactAttribute
{
    public PartitionFactAttribute() => Skip = SiloNetwork.Obstacle;

    /// <summary>Whether it runs only when it is given time, see <see cref="ChaosFactAttribute"/>.</summary>
    public bool IsLong
    {
        get => Skip is not null;
        set => Skip ??= value && ChaosFactAttribute.Time == TimeSpan.Zero ? "runs with ./test.sh --chaos MINUTES" : null;
    }
}
