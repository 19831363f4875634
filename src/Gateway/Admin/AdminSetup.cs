using Broker.Gateway.Admin.Api;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;
using Broker.Gateway.Telemetry;
using Broker.Gateway.Tracing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Orleans.Dashboard;

namespace Broker.Gateway.Admin;

/// <summary>The HTTP side: health for everybody, the rest behind <see cref="AdminAccess"/>.</summary>
internal static class AdminSetup
{
    private const string DashboardPath = "/dashboard";

    public static void AddAdmin(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddRouting();
        services.AddSingleton<AdminAccess>();
        services.AddSingleton<HttpUsers>();
        services.AddSingleton<HttpPublisher>();
        services.AddSingleton<PublishGate>();
        services.AddSingleton<IConnectionDrain>(static s => s.GetRequiredService<PublishGate>());
        services.AddSingleton<IReadinessCheck, LifetimeCheck>();
        services.AddSingleton<IReadinessCheck, SiloCheck>();
        services.AddSingleton<IReadinessCheck, StoreCheck>();
        services.AddSingleton<MetricsReader>();
        services.AddSingleton<SiloFigures>();
    }

    public static void MapAdmin(this WebApplication app, BrokerOptions options)
    {
        // Before routing: what is added later is behind the door without anybody having to think of it.
        app.Use(app.Services.GetRequiredService<AdminAccess>().GuardAsync);
        app.UseRouting();
        app.MapHealth();
        app.MapMetrics();
        app.MapDrops();
        app.MapAlarms();
        app.MapMessages();
        app.MapTraces();
        app.MapPublish();
        app.MapRebalance();
        if (options.Dashboard.Enabled)
        {
            app.MapOrleansDashboard(DashboardPath);
            RequestDelegate toDashboard = context =>
            {
                context.Response.Redirect(DashboardPath);
                return Task.CompletedTask;
            };
            app.MapGet("/", toDashboard);
        }
    }
}
