using Broker.Gateway.Admin;
using Broker.Gateway.Auth;
using Broker.Gateway.Auth.Enhanced;
using Broker.Gateway.Connections;
using Broker.Gateway.Options;
using Broker.Gateway.Sys;
using Broker.Gateway.Topics;
using Broker.Gateway.Tracing;
using Broker.Gateway.Webhook;
using Broker.Grains.Alarms;
using Broker.Grains.Cluster;
using Broker.Grains.Hooks;
using Broker.Grains.Hosting;
using Broker.Grains.Options;
using Broker.Grains.Recovery;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Broker.Grains.Storage.Sqlite;
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
        services.AddSingleton(options.Http);
        services.AddSingleton(options.Session);
        services.AddSingleton(options.Limits);
        services.AddSingleton(options.Mqtt);
        services.AddSingleton(options.Topics);
        services.AddSingleton(options.Delayed);
        services.AddSingleton(options.Retained);
        services.AddSingleton(options.Shared);
        services.AddSingleton(options.Ledger);
        services.AddSingleton(options.Store);
        services.AddSingleton(options.Cluster);
        services.AddSingleton(options.Rebalance);
        services.AddSingleton(options.Auth);
        services.AddSingleton(options.Admin);
        services.AddSingleton(options.Metrics);
        services.AddSingleton(options.Alarms);
        services.AddSingleton(options.Hooks);
        services.AddSingleton(options.Webhook);
        services.AddSingleton(options.Sys);
        services.AddSingleton(options.Trace);
        services.AddSingleton(options.Shutdown);
    }

    public static void AddBrokerServices(this WebApplicationBuilder builder, BrokerOptions options)
    {
        var services = builder.Services;
        services.AddSingleton(TimeProvider.System);

        services.AddStore(options.Store);
        services.AddBrokerGrains();
        services.AddConnections();
        services.AddSingleton<IBrokerStartup, StoreStartup>();
        services.AddTraces();

        // The order is the order in which they are asked.
        services.AddSingleton<UserDirectory>();
        services.AddSingleton<IAuthenticator, HookAuthenticator>();
        services.AddSingleton<IAuthenticator, UsersFileAuthenticator>();
        services.AddSingleton<IAuthenticator, AnonymousAuthenticator>();
        services.AddSingleton<AuthenticationChain>();
        services.AddSingleton<IEnhancedAuthenticator, ScramAuthenticator>();
        services.AddSingleton<EnhancedAuthentication>();
        services.AddSingleton<DefaultAuthorizer>();
        services.AddSingleton<IAuthorizer>(static s => s.GetRequiredService<HookJudges>() is { HasAuthorize: true } judges
            ? new HookAuthorizer(judges, s.GetRequiredService<DefaultAuthorizer>())
            : s.GetRequiredService<DefaultAuthorizer>());
        services.AddSingleton<AccessControl>();
        services.AddSingleton<IBrokerStartup, AuthenticationStartup>();
        services.AddSingleton<IBrokerStartup, HookStartup>();
        services.AddSingleton<IBrokerStartup, WaitIsOver>();

        builder.Services.Configure<HostOptions>(host =>
        {
            // One budget for the whole stop; the drain has its own share of it.
            var shutdown = options.Shutdown;
            host.ShutdownTimeout = shutdown.NoticeTime + shutdown.DrainTimeout + shutdown.StopTimeout;
        });

        // After the silo's own hosted service, which UseOrleans has registered.
        services.AddHostedService<BrokerLifetime>();
        services.AddHostedService<SiloClock>();
        services.AddHostedService<AlarmWatch>();
        services.AddHostedService<AlarmExchange>();
        services.AddHostedService<AlarmSweep>();
        services.AddSys();
        services.AddWebhook(options.Webhook);
        if (options.Topics.Rewrite.Length > 0)
        {
            services.AddHook<RewriteHook>();
        }
    }

    private static void AddConnections(this IServiceCollection services)
    {
        services.AddSingleton<ConnectTurns>();
        services.AddSingleton<ConnectionServices>();
        services.AddSingleton<ConnectionRegistry>();
        services.AddSingleton<LateConnects>();
        services.AddSingleton<ConnectionMetrics>();
        services.AddSingleton<ConnectionEvents>();
        services.AddSingleton<PublishRules>();
        services.AddSingleton<AutoSubscriptions>();
        services.AddSingleton<KeepAliveWheel>();
        services.AddSingleton<IConnectionDrain, ConnectionDrain>();
        services.AddSingleton<IClientConnections, ClientConnections>();
        services.AddSingleton<ConnectionBalance>();
        services.AddHostedService(static s => s.GetRequiredService<ConnectionBalance>());
    }

    private static void AddStore(this IServiceCollection services, StoreOptions options)
    {
        services.AddSingleton<StoreMetrics>();
        if (options.Kind == StoreKind.Postgres)
        {
            services.AddSingleton(new PostgresStoreOptions
            {
                ConnectionString = options.ConnectionString!,
                MaximumPendingBytes = options.MaxPendingBytes,
                IsShared = true,
            });
            services.AddSingleton(s => new ClusterStoreOptions
            {
                ConnectionString = options.ConnectionString!,
                Cluster = s.GetRequiredService<Options.ClusterOptions>().Name,
                LinkTimeout = s.GetRequiredService<Options.ClusterOptions>().LinkTimeout,
                GiveUpAfter = s.GetRequiredService<Options.ClusterOptions>().GiveUpAfter,
            });
            services.AddBrokerCluster();
            services.AddSingleton<IReadinessCheck, SiloTimeCheck>();
            services.AddSingleton<IReadinessCheck, IndexCheck>();
            services.AddSingleton<IMessageStore>(s => s.GetRequiredService<PostgresMessageStore>());
            services.AddSingleton(s => new PostgresMessageStore(
                s.GetRequiredService<PostgresStoreOptions>(),
                s.GetRequiredService<ILogger<PostgresMessageStore>>(),
                s.GetRequiredService<StoreMetrics>(),
                s.GetRequiredService<TimeProvider>()));
            return;
        }

        services.AddSingleton(s => new SqliteStoreOptions
        {
            Path = Path.Combine(s.GetRequiredService<DataOptions>().Directory, "broker.db"),
            Synchronous = s.GetRequiredService<StoreOptions>().Synchronous == StoreSynchronous.Full
                ? SqliteSynchronous.Full
                : SqliteSynchronous.Normal,
            MaximumPendingBytes = s.GetRequiredService<StoreOptions>().MaxPendingBytes,
        });
        services.AddSingleton<IMessageStore>(s => new SqliteMessageStore(
            s.GetRequiredService<SqliteStoreOptions>(),
            s.GetRequiredService<ILogger<SqliteMessageStore>>(),
            s.GetRequiredService<StoreMetrics>(),
            s.GetRequiredService<TimeProvider>()));
    }
}
