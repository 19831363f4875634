using Broker.Gateway.Hosting;
using Broker.Grains.Diagnostics;

namespace Broker.Gateway.Tracing;

/// <summary>Registers traces.</summary>
internal static class TraceServices
{
    public static IServiceCollection AddTraces(this IServiceCollection services) => services
        .AddSingleton<Traces>()
        .AddSingleton<ITraces>(static s => s.GetRequiredService<Traces>())
        .AddSingleton<ClusterTraces>()
        .AddSingleton<IBrokerStartup, TraceStartup>();
}
