using Broker.Gateway.Auth.Enhanced;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;
using Broker.Grains.Hooks;
using Broker.Grains.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Broker.Gateway.Embedding;

/// <summary>
/// The broker as a hosted service of an application. It is the program's composition (<see cref="BrokerHost.Build"/>) with a container
/// of its own, so that neither its silo, its Kestrel nor its services meet the application's. What belongs to a process is left to the
/// application: signals, console, exit, runtime settings; its log goes to the application's.
/// </summary>
internal sealed partial class EmbeddedBroker(
    BrokerOptions options,
    MqttBroker broker,
    IServiceProvider application,
    IHostApplicationLifetime lifetime,
    ILoggerFactory logs) : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = logs.CreateLogger<EmbeddedBroker>();
    private WebApplication? _app;
    private CancellationTokenRegistration _ending;
    private volatile bool _isStopping;

    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var app = await StartedAsync(cancellationToken);
        _app = app;
        broker.Open(app.Services);

        // A part that cannot go on ends the broker, and a broker that has ended is no application's intention.
        _ending = app.Lifetime.ApplicationStopping.Register(() =>
        {
            if (!_isStopping)
            {
                LogEnded();
                Environment.ExitCode = 1;
                lifetime.StopApplication();
            }
        });
        if (_logger.IsEnabled(LogLevel.Information))
        {
            LogReady(string.Join(", ", broker.MqttEndPoints), broker.HttpEndPoint!.ToString());
        }
    }

    /// <inheritdoc />
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        if (_app is not null)
        {
            await _app.StopAsync(cancellationToken);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _isStopping = true;
        broker.Close();
        await _ending.DisposeAsync();
        if (_app is not null)
        {
            await BrokerHost.TakeDownAsync(_app);
            _app = null;
        }
    }

    private async Task<WebApplication> StartedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var room = new WaitingRoom(options.Http);
            await BrokerHost.PrepareAsync(options, room, cancellationToken, Say);
            try
            {
                var state = new BrokerState();
                return await BrokerHost.StartAsync(options, state, room, services => Extend(services, state), cancellationToken);
            }
            catch (Exception failure) when (options.Store.Kind == StoreKind.Postgres && DatabaseWait.MayPass(failure))
            {
                LogAgain(failure.Message);
            }
            catch (Exception failure) when (StartupFailure.Explain(failure, options) is { } line)
            {
                throw new StartupException(line, failure);
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }

    private void Extend(IServiceCollection services, BrokerState state)
    {
        services.RemoveAll<ILoggerProvider>();
        services.AddSingleton<ILoggerProvider>(new ForwardedLogs(logs));
        services.AddSingleton<IHostLifetime, HostedLifetime>();
        services.AddSingleton<IFatalErrorHandler>(new EmbeddedFatal(state, lifetime, _logger));
        services.AddHooksOf(application);
        foreach (var method in application.GetServices<IEnhancedAuthenticator>())
        {
            services.AddSingleton(method);
        }

        services.AddSingleton<Subscribers>();
        services.AddSingleton<IConnectionDrain>(static s => s.GetRequiredService<Subscribers>());
    }

    private void Say(FormattableString line) => LogDatabase(line.ToString(System.Globalization.CultureInfo.InvariantCulture));

    [LoggerMessage(1100, LogLevel.Information, "Broker ready: MQTT at {Mqtt}, HTTP at {Http}")]
    private partial void LogReady(string mqtt, string http);

    [LoggerMessage(1101, LogLevel.Critical, "The broker has ended by itself; the application stops")]
    private partial void LogEnded();

    [LoggerMessage(1102, LogLevel.Warning, "The start of the broker has failed and begins again: {Cause}")]
    private partial void LogAgain(string cause);

    [LoggerMessage(1103, LogLevel.Warning, "{Line}")]
    private partial void LogDatabase(string line);
}
