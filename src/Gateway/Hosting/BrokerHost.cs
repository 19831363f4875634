using System.Diagnostics;
using Broker.Gateway.Admin;
using Broker.Gateway.Auth;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Broker.Grains.Hosting;
using Broker.Grains.Options;
using Microsoft.AspNetCore.Builder;

namespace Broker.Gateway.Hosting;

/// <summary>
/// Builds the broker and runs it: as a program to its end, or inside an application (<see cref="Embedding.EmbeddedBroker"/>). Order of
/// start: data folder, database, silo, <see cref="IBrokerStartup"/> steps, listeners. Order of stop: readiness, the gate of the
/// listeners, <see cref="IConnectionDrain"/>, Kestrel, services, silo, store.
/// </summary>
internal static class BrokerHost
{
    // 5 s: closing a store takes milliseconds; after that, ending beats waiting, and the store is safe against it.
    private static readonly TimeSpan TakeDownTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The program. Runs until a signal stops it; 0 after an orderly stop.</summary>
    public static async Task<int> RunAsync(BrokerOptions options)
    {
        if (options.Runtime.HugePages)
        {
            HugePages.FollowHeap();
        }

        using var signals = new StopSignals();
        var state = new BrokerState();
        using var calledOff = signals.Token.Register(state.Abandoned);
        await using var room = new WaitingRoom(options.Http);
        string data;
        try
        {
            data = await PrepareAsync(options, room, signals.Token);
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            return 0;
        }

        WebApplication app;
        try
        {
            app = await StartAsync(options, state, room, null, signals.Token);
        }
        catch (Exception failure)
        {
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

    /// <summary>Makes the data folder, or waits for the database and brings its schema up to date.</summary>
    /// <param name="say">Where a wait is told of; null for the console.</param>
    /// <returns>Full path of the data folder.</returns>
    /// <exception cref="StartupException">The folder cannot be written, or the database refuses or has not answered in time.</exception>
    public static async Task<string> PrepareAsync(
        BrokerOptions options, WaitingRoom room, CancellationToken cancellationToken, Action<FormattableString>? say = null)
    {
        var data = DataFolder.Prepare(options.Data, options.Store.Kind);
        if (options.Store.Kind == StoreKind.Postgres)
        {
            room.Open();
            await DatabaseWait.RunAsync(options.Store, room, say ?? DatabaseWait.Say, cancellationToken);
            room.Cause = "joining the cluster";
        }

        return data;
    }

    /// <summary>Builds and starts everything behind <see cref="PrepareAsync"/>. What a failed start has left is taken down before it is reported.</summary>
    /// <param name="extend">As for <see cref="Build"/>.</param>
    public static async Task<WebApplication> StartAsync(
        BrokerOptions options, BrokerState state, WaitingRoom room, Action<IServiceCollection>? extend, CancellationToken cancellationToken)
    {
        var app = Build(options, state, room, extend);
        try
        {
            // Before anything starts: a users file that cannot be used ends the start.
            app.Services.GetRequiredService<UserDirectory>();
            app.MapAdmin(options);
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            state.Abandoned();
            await TakeDownAsync(app);
            throw;
        }

        state.Started();
        return app;
    }

    /// <summary>Stops what still runs and disposes of it, in bounded time, and fails at nothing: nobody needs it any more.</summary>
    public static async Task TakeDownAsync(WebApplication app)
    {
        using var timeout = new CancellationTokenSource(TakeDownTimeout);
        await app.StopAsync(timeout.Token).WaitAsync(timeout.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.DisposeAsync().AsTask().WaitAsync(timeout.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The broker, not started yet, and without its HTTP side.</summary>
    /// <param name="extend">Adds services of whoever has the broker in its own program; they win over the broker's.</param>
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

        return builder.Build();
    }
}
