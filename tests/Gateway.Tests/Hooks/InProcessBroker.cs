using System.Net;
using Broker.Gateway.Hosting;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>A whole broker inside the test's process, with services of the test's own.</summary>
internal sealed class InProcessBroker : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly WebApplication _app;

    private InProcessBroker(Action<IServiceCollection> extend, Action<BrokerOptions>? configure)
    {
        var options = new BrokerOptions();
        options.Data.Directory = _folder.Path;
        options.Listeners.Mqtt = [new ListenerEndpoint { Address = "127.0.0.1", Port = 0 }];
        options.Http.Port = 0;
        options.Dashboard.Enabled = false;
        options.Sys.Interval = TimeSpan.Zero;
        configure?.Invoke(options);
        _app = BrokerHost.Build(options, State, new WaitingRoom(options.Http), extend);
    }

    public IPEndPoint Mqtt { get; private set; } = null!;

    public IServiceProvider Services => _app.Services;

    private BrokerState State { get; } = new();

    public static async Task<InProcessBroker> StartAsync(
        Action<IServiceCollection> extend, Action<BrokerOptions>? configure = null)
    {
        var broker = new InProcessBroker(extend, configure);
        await broker._app.StartAsync();
        broker.State.Started();
        broker.Mqtt = IPEndPoint.Parse(broker._app.Services.GetRequiredService<OpenListeners>().Mqtt.Single()["mqtt://".Length..]);
        return broker;
    }

    /// <summary>Stops it in order; it may be disposed of afterwards.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder.Dispose();
    }
}
