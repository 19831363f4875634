using Broker.Gateway.Auth;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Builder;

namespace Broker.Gateway.Hosting;

/// <summary>What the broker is made of, beyond silo, listeners and admin side.</summary>
internal static class BrokerServices
{
    /// <summary>Each section is a service of its own type, so that a class takes only the settings it uses.</summary>
    public static void AddBrokerOptions(this WebApplicationBuilder builder, BrokerOptions options)
    {
        var services = builder.Services;
        services.AddSingleton(options);
        services.AddSingleton(options.Data);
        services.AddSingleton(options.Listeners);
        services.AddSingleton(options.Session);
        services.AddSingleton(options.Limits);
        services.AddSingleton(options.Retained);
        services.AddSingleton(options.Store);
        services.AddSingleton(options.Auth);
        services.AddSingleton(options.Admin);
        services.AddSingleton(options.Shutdown);
    }

    public static void AddBrokerServices(this WebApplicationBuilder builder, ShutdownOptions options)
    {
        var services = builder.Services;
        services.AddSingleton(TimeProvider.System);

        // The order is the order in which they are asked.
        services.AddSingleton<UserDirectory>();
        services.AddSingleton<IAuthenticator, UsersFileAuthenticator>();
        services.AddSingleton<IAuthenticator, AnonymousAuthenticator>();
        services.AddSingleton<AuthenticationChain>();
        services.AddSingleton<IAuthorizer, DefaultAuthorizer>();
        services.AddSingleton<AccessControl>();
        services.AddSingleton<IBrokerStartup, AuthenticationStartup>();

        builder.Services.Configure<HostOptions>(host =>
        {
            // One budget for the whole stop; the drain has its own share of it.
            host.ShutdownTimeout = options.DrainTimeout + options.StopTimeout;
        });

        // After the silo's own hosted service, which UseOrleans has registered.
        services.AddHostedService<BrokerLifetime>();
    }
}
