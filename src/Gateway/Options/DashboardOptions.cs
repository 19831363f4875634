namespace Broker.Gateway.Options;

/// <summary>The Orleans dashboard at <c>/dashboard</c>. Section <c>Broker:Dashboard</c>.</summary>
public sealed class DashboardOptions
{
    /// <summary>Whether it is there. Its call counters take part in every grain call, also while nobody looks.</summary>
    public bool Enabled { get; set; } = true;
}
