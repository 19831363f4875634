using System.Net.Sockets;
using Broker.Gateway.Admin;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Hosting;

/// <summary>
/// Answers for health on the HTTP port as long as the start of a silo takes longer than usual: because the database does not
/// answer, or another silo cannot be reached. It is alive and not ready; nobody gains anything by killing it.
/// </summary>
internal sealed class WaitingRoom(HttpOptions options) : IAsyncDisposable
{
    // A usual start is over by then.
    private static readonly TimeSpan Unusual = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _closing = new();
    private Task _work = Task.CompletedTask;

    /// <summary>What the start waits for, in a few words.</summary>
    public string Cause { get; set; } = "starting";

    /// <summary>Says it more exactly, once there is somebody to be asked; null when there is nothing more to say.</summary>
    public Func<string?>? Progress { get; set; }

    /// <summary>From here on a start that takes long has its health answered.</summary>
    public void Open() => _work = Task.Run(RunAsync);

    /// <summary>The port is free again when it returns. Does nothing the second time.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _work;
    }

    private async Task RunAsync()
    {
        try
        {
            await Task.Delay(Unusual, _closing.Token);
            await using var app = Build();
            await app.StartAsync(_closing.Token);
            await Task.Delay(Timeout.InfiniteTimeSpan, _closing.Token);
        }
        catch (OperationCanceledException)
        {
            // The start is over, or the process stops.
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            // The port is taken or not allowed, or the address is not there. The start ends with a line about that when it comes to its own
            // listeners.
        }
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            EnvironmentName = Environments.Production,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenOn(options.Address, options.Port, static _ => { });
        });
        var app = builder.Build();
        app.Run(AnswerAsync);
        return app;
    }

    private Task AnswerAsync(HttpContext context)
    {
        switch (context.Request.Path.Value)
        {
            case HealthEndpoints.Live:
                return HealthEndpoints.AnswerAsync(context.Response, "live", []);
            case HealthEndpoints.Ready:
                return HealthEndpoints.AnswerAsync(context.Response, "not ready", [Progress?.Invoke() ?? Cause]);
            default:
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return Task.CompletedTask;
        }
    }
}
