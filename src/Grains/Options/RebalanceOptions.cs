namespace Broker.Grains.Options;

/// <summary>How silos with more than their share of connections send some of them to the others. Section <c>Broker:Rebalance</c>.</summary>
public sealed class RebalanceOptions
{
    /// <summary>
    /// How often a silo compares its connections with those of the others by itself. By default never: clients are moved when an
    /// operator asks for it, and new silos fill up with new connections.
    /// </summary>
    [Allowed("0s", "7d", ZeroMeans = "only when asked")]
    public TimeSpan Interval { get; set; } = TimeSpan.Zero;

    /// <summary>Connections that a silo sends away in a second.</summary>
    // 50: a tenth of what a silo that stops does, because nothing is urgent.
    [Allowed("1", "1000000")]
    public int Rate { get; set; } = 50;

    /// <summary>Share of the average by which a silo may be above it before it sends anybody away.</summary>
    [Allowed("0", "10")]
    public double Tolerance { get; set; } = 0.1;
}
