using Broker.Gateway.Options;
using Microsoft.AspNetCore.Builder;
using Orleans.Dashboard;

namespace Broker.Gateway.Admin;

/// <summary>The HTTP side: health, and the dashboard behind the administrator's door.</summary>
internal static class AdminSetup
{
    public static void AddAdmin(this WebApplicationBuilder builder, BrokerOptions options)
    {
        builder.Services.AddRouting();
    }

    public static void MapAdmin(this WebApplication app, BrokerOptions options)
    {
        if (options.Dashboard.Enabled)
        {
            app.MapOrleansDashboard("/dashboard");
        }
    }
}
