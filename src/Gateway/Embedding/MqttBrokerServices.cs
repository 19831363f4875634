using Broker.Gateway.Options;

namespace Broker.Gateway.Embedding;

/// <summary>Puts the broker into an application: docs/embedding.md.</summary>
public static class MqttBrokerServices
{
    /// <summary>
    /// Adds the broker, with the settings of section <c>Broker</c> of the application's configuration. It starts and stops with the
    /// application's host; <see cref="MqttBroker"/> is the way to it, and hooks are registered beside it
    /// (<see cref="Grains.Hooks.HookServices.AddHook{T}(IServiceCollection)"/>).
    /// </summary>
    /// <param name="configure">Sets or changes settings in code; its values are checked like all others.</param>
    /// <exception cref="Hosting.StartupException">A setting is unknown or not allowed: one line for each.</exception>
    /// <exception cref="InvalidOperationException">The application has a broker already.</exception>
    public static IHostApplicationBuilder AddMqttBroker(this IHostApplicationBuilder builder, Action<BrokerOptions>? configure = null)
    {
        builder.Services.AddMqttBroker(builder.Configuration, configure);
        return builder;
    }

    /// <inheritdoc cref="AddMqttBroker(IHostApplicationBuilder, Action{BrokerOptions})"/>
    /// <param name="configuration">Where section <c>Broker</c> is; null for none.</param>
    public static IServiceCollection AddMqttBroker(
        this IServiceCollection services, IConfiguration? configuration = null, Action<BrokerOptions>? configure = null)
    {
        if (services.Any(static service => service.ServiceType == typeof(MqttBroker)))
        {
            throw new InvalidOperationException("The application has a broker already.");
        }

        var options = EmbeddedConfiguration.Read(configuration, configure);
        services.AddSingleton(new MqttBroker());
        services.AddHostedService(s => ActivatorUtilities.CreateInstance<EmbeddedBroker>(s, options));

        // The broker's stop has a budget of its own, which the host must not cut short.
        var needed = options.Shutdown.NoticeTime + options.Shutdown.DrainTimeout + options.Shutdown.StopTimeout;
        services.PostConfigure<HostOptions>(host =>
        {
            if (host.ShutdownTimeout != Timeout.InfiniteTimeSpan && host.ShutdownTimeout < needed)
            {
                host.ShutdownTimeout = needed;
            }
        });
        return services;
    }
}
