namespace Broker.Gateway.Options;

/// <summary>Metrics for Prometheus at <c>/metrics</c>. Section <c>Broker:Metrics</c>.</summary>
public sealed class MetricsOptions
{
    /// <summary>Who may read them. They name no client and no topic.</summary>
    public MetricsAccess Access { get; set; } = MetricsAccess.Admin;
}
