using Broker.Gateway.Admin;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Builder;

namespace Broker.Gateway.Hosting;

/// <summary>
/// Builds the process and runs it to its end. Order of start: data folder, silo, <see cref="IBrokerStartup"/> steps, listeners, banner.
/// Order of stop: readiness, <see cref="IConnectionDrain"/>, Kestrel, services, silo.
/// </summary>
internal static class BrokerHost
{
    /// <summary>Runs until a signal stops it; 0 after an orderly stop.</summary>
    public static async Task<int> RunAsync(BrokerOptions options)
    {
        using var signals = new StopSignals();
        var data = DataFolder.Prepare(options.Data);

        await using var app = Build(options);
        try
        {
            await app.StartAsync(signals.Token);
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception failure) when (StartupFailure.Explain(failure, options) is { } line)
        {
            throw new StartupException(line, failure);
        }

        app.Services.GetRequiredService<BrokerState>().Started();
        Banner.Write(Console.Out, app.Services, data);
        await app.WaitForShutdownAsync(CancellationToken.None);
        return 0;
    }

    private static WebApplication Build(BrokerOptions options)
    {
        // The empty builder: no default configuration files, watchers and providers that the broker does not read.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(BrokerHost).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.AddBrokerLogging(options.Log);
        builder.AddBrokerOptions(options);
        builder.AddSilo(options);
        builder.AddBrokerServices();
        builder.AddAdmin(options);
        builder.AddListeners(options);

        var app = builder.Build();
        app.MapAdmin(options);
        return app;
    }
}
