using System.Globalization;
using Broker.Gateway.Connections;
using Broker.Gateway.Hosting;
using Broker.Grains.Cluster;
using Broker.Grains.Storage;

namespace Broker.Gateway.Admin;

/// <summary>Between the opening of the listeners and the beginning of a stop.</summary>
internal sealed class LifetimeCheck(BrokerState state, ConnectionRegistry connections) : IReadinessCheck
{
    public string Name => "lifetime";

    public string? Obstacle =>
        state.IsStopping ? $"stopping, {connections.Count} connections left" : state.IsStarted ? null : "starting";
}

/// <summary>The silo is an active member of its cluster.</summary>
internal sealed class SiloCheck(ISiloStatusOracle oracle) : IReadinessCheck
{
    public string Name => "silo";

    public string? Obstacle =>
        oracle.CurrentStatus == SiloStatus.Active ? null : $"silo is {oracle.CurrentStatus}";
}

/// <summary>The database answers: a silo that it has not answered for a while acknowledges nothing.</summary>
internal sealed class SiloTimeCheck(SiloTime time) : IReadinessCheck
{
    public string Name => "database";

    public string? Obstacle => time.IsValid
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"the database has not answered for {time.OutFor.TotalSeconds:F0} s: acknowledgements wait");
}

/// <summary>The silo knows what all the others are interested in, so that whoever publishes through it reaches everybody.</summary>
internal sealed class IndexCheck(ClusterStartup startup) : IReadinessCheck
{
    public string Name => "index";

    public string? Obstacle => startup.Obstacle;
}

/// <summary>The store takes commits.</summary>
internal sealed class StoreCheck(IServiceProvider services) : IReadinessCheck
{
    private readonly IMessageStore? _store = services.GetService<IMessageStore>();

    public string Name => "store";

    public string? Obstacle => _store is null or { IsAvailable: true } ? null : "store is not available";
}
