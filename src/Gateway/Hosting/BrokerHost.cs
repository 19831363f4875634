using System.Diagnostics;
using Broker.Gateway.Admin;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Broker.Grains.Hosting;
using Broker.Grains.Options;
using Microsoft.AspNetCore.Builder;

namespace Broker.Gateway.Hosting;

/// <summary>
/// Builds the process and runs it to its end. Order of start: data folder, silo, <see cref="IBrokerStartup"/> steps, listeners, banner.
/// Order of stop: readiness, the gate of the listeners, <see cref="IConnectionDrain"/>, Kestrel, services, silo, store.
/// </summary>
internal static class BrokerHost
{
    // 5 s: closing a store takes milliseconds; after that, ending beats waiting, and the store is safe against it.
    private static readonly TimeSpan TakeDownTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Runs until a signal stops it; 0 after an orderly stop.</summary>
    public static async Task<int> RunAsync(BrokerOptions options)
    {
        if (options.Runtime.HugePages)
        {
            HugePages.FollowHeap();
        }

        using var signals = new StopSignals();
        var state = new BrokerState();
        using var calledOff = signals.Token.Register(state.Abandoned);
        var data = DataFolder.Prepare(options.Data, options.Store.Kind);

        await using var room = new WaitingRoom(options.Http);
        if (options.Store.Kind == StoreKind.Postgres)
        {
            room.Open();
            try
            {
                await DatabaseWait.RunAsync(options.Store, room, signals.Token);
            }
            catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
            {
                return 0;
            }

            room.Cause = "joining the cluster";
        }

        var app = Build(options, state, room);
        try
        {
            await app.StartAsync(signals.Token);
        }
        catch (Exception failure)
        {
            state.Abandoned();
            await TakeDownAsync(app);
            if (signals.Token.IsCancellationRequested)
            {
                return 0;
            }

            if (options.Store.Kind == StoreKind.Postgres && DatabaseWait.MayPass(failure))
            {
                DatabaseWait.Say($"the start has failed and begins again: {failure.Message}");
                var cause = ProcessImage.Replace([], EarlierLife.Next());
                DatabaseWait.Say($"this process cannot replace itself: {cause}");
            }

            if (StartupFailure.Explain(failure, options) is { } line)
            {
                throw new StartupException(line, failure);
            }

            throw;
        }

        state.Started();
        Banner.Write(Console.Out, app.Services, data);
        long stopping = 0;
        await using (app.Lifetime.ApplicationStopping.Register(() => stopping = Stopwatch.GetTimestamp()))
        {
            await app.WaitForShutdownAsync(CancellationToken.None);
        }

        await TakeDownAsync(app);
        Banner.WriteStopped(Console.Out, Stopwatch.GetElapsedTime(stopping));
        return 0;
    }

    // Stops what still runs and disposes of it, in bounded time, and fails at nothing: the process ends next.
    private static async Task TakeDownAsync(WebApplication app)
    {
        using var timeout = new CancellationTokenSource(TakeDownTimeout);
        await app.StopAsync(timeout.Token).WaitAsync(timeout.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.DisposeAsync().AsTask().WaitAsync(timeout.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The process, not started yet.</summary>
    /// <param name="extend">Adds services of whoever has the broker in its own program.</param>
    internal static WebApplication Build(
        BrokerOptions options, BrokerState state, WaitingRoom room, Action<IServiceCollection>? extend = null)
    {
        // The empty builder: no default configuration files, watchers and providers that the broker does not read.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(BrokerHost).Assembly.GetName().Name,
            EnvironmentName = Environments.Production,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Services.AddSingleton(state);
        builder.Services.AddSingleton(room);
        builder.AddBrokerLogging(options.Log, state);
        builder.AddBrokerOptions(options);
        builder.AddSilo(options);
        builder.AddBrokerServices(options);
        builder.AddAdmin();
        builder.AddListeners(options);

        extend?.Invoke(builder.Services);

        var app = builder.Build();
        app.MapAdmin(options);
        return app;
    }
}
