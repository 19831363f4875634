using Broker.Gateway.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Dashboard;

namespace Broker.Gateway.Tests.Hosting;

/// <summary>The dashboard gathers less often than it does as it comes: what has to be changed for that is still there in this version of it.</summary>
public sealed class DashboardSetupTests
{
    [Fact]
    public void Counters_of_Orleans_are_read_every_five_seconds()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.UseOrleans(static silo => silo.UseLocalhostClustering().AddBrokerDashboard());
        using var services = builder.Services.BuildServiceProvider();

        var type = typeof(DashboardOptions).Assembly.GetType(DashboardSetup.Collector)!;
        var collector = services.GetRequiredService(type);
        Assert.Equal(5_000, DashboardSetup.IntervalOf(type)!.GetValue(collector));
    }
}
