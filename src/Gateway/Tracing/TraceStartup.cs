using Broker.Gateway.Hosting;
using Broker.Grains.Diagnostics;

namespace Broker.Gateway.Tracing;

/// <summary>A silo that joins traces what the others trace, before the first client comes.</summary>
internal sealed class TraceStartup(ClusterTraces traces) : IBrokerStartup
{
    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => traces.JoinAsync();
}
