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
    private WebApplication _app = null!;

    private InProcessBroker()
    {
    }

    public IPEndPoint Mqtt { get; private set; } = null!;

    public IServiceProvider Services => _app.Services;

    public static async Task<InProcessBroker> StartAsync(
        Action<IServiceCollection> extend, Action<BrokerOptions>? configure = null)
    {
        var broker = new InProcessBroker();
        var options = new BrokerOptions();
        options.Data.Directory = broker._folder.Path;
        options.Listeners.Mqtt = [new ListenerEndpoint { Address = "127.0.0.1", Port = 0 }];
        options.Http.Port = 0;
        options.Dashboard.Enabled = false;
        options.Sys.Interval = TimeSpan.Zero;
        configure?.Invoke(options);
        broker._app = await BrokerHost.StartAsync(options, new BrokerState(), new WaitingRoom(options.Http), extend, CancellationToken.None);
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
