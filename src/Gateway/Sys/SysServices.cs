namespace Broker.Gateway.Sys;

/// <summary>Registers what the broker says about itself under <c>$SYS</c>.</summary>
internal static class SysServices
{
    public static IServiceCollection AddSys(this IServiceCollection services) => services
        .AddSingleton<SysTopics>()
        .AddSingleton<SysNodes>()
        .AddSingleton<SysTree>()
        .AddSingleton<ClientPresence>()
        .AddHostedService<AlarmAnnouncer>()
        .AddHostedService<SysPublisher>();
}
