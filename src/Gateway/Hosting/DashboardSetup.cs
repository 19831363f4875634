using System.Reflection;
using Orleans.Dashboard;

namespace Broker.Gateway.Hosting;

/// <summary>The Orleans dashboard, so that it costs little while nobody looks at it.</summary>
internal static class DashboardSetup
{
    // Reads all counters of Orleans, once a second as it comes, which takes half a percent of a core: more than anything else on a broker that
    // has little to do. Neither is public; where another version has others, it stays at once a second.
    internal const string Collector = "Orleans.Dashboard.DashboardHost";
    private const string Interval = "ExportIntervalMilliseconds";

    // Between two readings of counters, and two samples of CPU and memory, of which a hundred are kept.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    public static ISiloBuilder AddBrokerDashboard(this ISiloBuilder silo)
    {
        var milliseconds = (int)Pause.TotalMilliseconds;
        silo.AddDashboard(options => options.CounterUpdateIntervalMs = milliseconds);
        var registered = silo.Services.FirstOrDefault(static s => s.ServiceType.FullName == Collector);
        if (registered is { ImplementationType: { } type } && IntervalOf(type) is { } interval)
        {
            silo.Services.Remove(registered);
            silo.Services.AddSingleton(type, services =>
            {
                var collector = ActivatorUtilities.CreateInstance(services, type);
                interval.SetValue(collector, milliseconds);
                return collector;
            });
        }

        return silo;
    }

    internal static PropertyInfo? IntervalOf(Type collector) =>
        collector.GetProperty(Interval, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
            is { CanWrite: true } property && property.PropertyType == typeof(int) ? property : null;
}
