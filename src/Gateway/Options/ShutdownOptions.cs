using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>How long a stop may take. Section <c>Broker:Shutdown</c>.</summary>
public sealed class ShutdownOptions
{
    /// <summary>Time for telling clients and closing their connections in order; what is left is cut off.</summary>
    [Allowed("0s", "10m")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time for everything after the drain: store, grains, silo.</summary>
    [Allowed("1s", "10m")]
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(20);
}
