using Broker.Grains.Shared.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>Registers what only a cluster needs; the host adds <see cref="ClusterStoreOptions"/> and the PostgreSQL store.</summary>
public static class ClusterServices
{
    public static IServiceCollection AddBrokerCluster(this IServiceCollection services) => services
        .AddSingleton<ClusterStore>()
        .AddSingleton(static s => new SiloTime(
            s.GetRequiredService<ClusterStore>(),
            s.GetRequiredService<ClusterStoreOptions>(),
            s.GetRequiredService<IFatalErrorHandler>(),
            () => s.GetRequiredService<ISiloStatusOracle>().CurrentStatus.IsTerminating(),
            s.GetRequiredService<ILogger<SiloTime>>()))
        .AddSingleton<RoutingGate>()
        .AddSingleton<RetainedSync>()
        .AddSingleton<RepeatedPublishes>()
        .AddSingleton<InDoubtDeliveries>()
        .AddSingleton<RemoteRouting>()
        .AddSingleton<LocalArrivals>()
        .AddSingleton<SessionAdoption>()
        .AddSingleton<InFlightDrain>()
        .AddSingleton<SessionTransfer>()
        .AddSingleton<SessionMoves>()
        .AddSingleton<SharedPlaces>()
        .AddSingleton<DeadSilos>()
        .AddSingleton(static s => new CutOffSilos(
            s.GetRequiredService<IClusterMembershipService>(),
            s.GetRequiredService<ClusterStoreOptions>(),
            () => s.GetRequiredService<SiloTime>().InFor,
            s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<CutOffSilos>>()))
        .AddSingleton<EndedSilos>()
        .AddSingleton<LinkWatch>()
        .AddSingleton<ClusterStartup>();
}
