using System.Collections.Concurrent;
using System.Net;
using Broker.Gateway.Embedding;
using Broker.Gateway.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Broker.Gateway.Tests.Embedding;

/// <summary>An application with the broker inside, which may be started again on the same data.</summary>
internal sealed class Application : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Action<IServiceCollection> _extend;
    private readonly Action<BrokerOptions> _configure;
    private IHost _host;

    private Application(Action<IServiceCollection>? extend, Action<BrokerOptions>? configure)
    {
        (_extend, _configure) = (extend ?? (static _ => { }), configure ?? (static _ => { }));
        _host = Build();
    }

    public MqttBroker Broker => _host.Services.GetRequiredService<MqttBroker>();

    public IHost Host => _host;

    public IPEndPoint Mqtt => Broker.MqttEndPoints.Single();

    /// <summary>Lines of the application's log: category and text.</summary>
    public ConcurrentQueue<(string Category, string Text)> Log { get; } = [];

    public static async Task<Application> StartAsync(Action<IServiceCollection>? extend = null, Action<BrokerOptions>? configure = null)
    {
        var application = new Application(extend, configure);
        await application._host.StartAsync();
        return application;
    }

    /// <summary>Stops it in order and starts it on the same folder.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        _host = Build();
        await _host.StartAsync();
    }

    public async Task StopAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    private IHost Build()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Broker:Data:Directory"] = _folder.Path,
            ["Broker:Listeners:Mqtt:0:Address"] = "127.0.0.1",
            ["Broker:Listeners:Mqtt:0:Port"] = "0",
            ["Broker:Http:Port"] = "0",
            ["Broker:Dashboard:Enabled"] = "false",
            ["Broker:Sys:Interval"] = "0s",
        });
        builder.Logging.AddProvider(new Lines(Log));
        builder.AddMqttBroker(_configure);
        _extend(builder.Services);
        return builder.Build();
    }

    private sealed class Lines(ConcurrentQueue<(string, string)> lines) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => new Logger(categoryName, lines);

        public void Dispose()
        {
        }
    }

    private sealed class Logger(string category, ConcurrentQueue<(string, string)> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue((category, formatter(state, exception)));
    }
}
