namespace Broker.Cluster.Tests.Support;

/// <summary>A test behind HAProxy: skipped, with the reason, where there can be no network of its own or no HAProxy.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BalancedFactAttribute : FactAttribute
{
    public BalancedFactAttribute() => Skip = Balancer.Obstacle;

    /// <summary>Whether it runs only when it is given time, see <see cref="ChaosFactAttribute"/>.</summary>
    public bool IsLong
    {
        get => Skip is not null;
        set => Skip ??= value && ChaosFactAttribute.Time == TimeSpan.Zero ? "runs with ./test.sh --chaos MINUTES" : null;
    }
}
