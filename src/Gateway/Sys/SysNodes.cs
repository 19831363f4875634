using Broker.Grains.Topics;

namespace Broker.Gateway.Sys;

/// <summary>The names of the brokers that form the cluster, as they stand in topics.</summary>
internal sealed class SysNodes(LiveSilos silos, ISiloStatusOracle oracle)
{
    /// <summary>All living ones, separated by commas.</summary>
    public string List() => string.Join(
        ',',
        silos.All
            .Select(silo => oracle.TryGetSiloName(silo, out var name) ? SysTopics.LevelOf(name) : SysTopics.LevelOf(silo.ToString()))
            .Order(StringComparer.Ordinal));
}
