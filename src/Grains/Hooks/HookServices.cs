using Microsoft.Extensions.DependencyInjection;

namespace Broker.Grains.Hooks;

/// <summary>Registers hooks.</summary>
public static class HookServices
{
    /// <summary>Registers a hook: one object, made at the start, called by every hook interface that its class implements.</summary>
    public static IServiceCollection AddHook<THook>(this IServiceCollection services)
        where THook : class, IHook => services
        .AddSingleton<THook>()
        .AddSingleton(new HookRegistration(typeof(THook), static s => s.GetRequiredService<THook>()));

    /// <summary>Registers a hook that exists.</summary>
    public static IServiceCollection AddHook(this IServiceCollection services, IHook hook) =>
        services.AddSingleton(new HookRegistration(hook.GetType(), _ => hook));

    /// <summary>Registers the hooks that an application with the broker inside has in its own services, which make them.</summary>
    public static IServiceCollection AddHooksOf(this IServiceCollection services, IServiceProvider application)
    {
        foreach (var registered in application.GetServices<HookRegistration>())
        {
            services.AddSingleton(registered with { Get = _ => registered.Get(application) });
        }

        return services;
    }

    /// <summary>What calls hooks; without any it costs nothing.</summary>
    internal static IServiceCollection AddHookCalls(this IServiceCollection services) => services
        .AddSingleton<HookMetrics>()
        .AddSingleton<HookCalls>()
        .AddSingleton<HookFolds>()
        .AddSingleton<HookJudges>()
        .AddSingleton<EventHub>();
}
