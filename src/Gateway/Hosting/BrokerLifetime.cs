using Broker.Gateway.Options;
using Broker.Grains.Cluster;

namespace Broker.Gateway.Hosting;

/// <summary>
/// Ties the broker's own steps into the host: start-up steps between silo and listeners, the drain before anything stops.
/// </summary>
internal sealed partial class BrokerLifetime(
    IEnumerable<IBrokerStartup> steps,
    IEnumerable<IConnectionDrain> drains,
    BrokerState state,
    ShutdownOptions options,
    ILogger<BrokerLifetime> log,
    Peers peers) : IHostedLifecycleService
{
    private readonly ILogger _log = log;
    private bool _hasStopped;

    /// <summary>Runs after the silo is active and before Kestrel binds: hosted services start in the order of registration.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var step in steps)
        {
            await step.StartAsync(cancellationToken);
        }
    }

    /// <summary>Runs before any hosted service stops, hence before Kestrel, which stops first.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        state.Stopping();
        if (options.NoticeTime > TimeSpan.Zero)
        {
            LogNotice(options.NoticeTime.TotalSeconds);
            await Task.Delay(options.NoticeTime, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        state.Closed();
        using var budget = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        budget.CancelAfter(options.DrainTimeout);
        foreach (var drain in drains)
        {
            try
            {
                await drain.DrainAsync(budget.Token).WaitAsync(cancellationToken);
            }
            catch (Exception failure)
            {
                // A stop goes on whatever fails: connections that are left are cut off by Kestrel.
                LogDrainFailed(failure);
            }
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Runs after the silo has stopped.</summary>
    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (peers.Metrics.Batches > 0 && !_hasStopped)
        {
            LogEdges(peers.Metrics.Items, peers.Metrics.Batches, peers.Metrics.LargestBatch);
        }

        // The host stops once more when it is taken down.
        _hasStopped = true;
        return Task.CompletedTask;
    }

    [LoggerMessage(122, LogLevel.Information, "Sent to other silos: {Messages} messages in {Calls} calls, at most {Largest} in one")]
    private partial void LogEdges(long messages, long calls, int largest);

    [LoggerMessage(121, LogLevel.Information, "Stopping: not ready any more, connections are closed in {Seconds} s")]
    private partial void LogNotice(double seconds);

    [LoggerMessage(120, LogLevel.Warning, "Connections were not closed in order")]
    private partial void LogDrainFailed(Exception failure);
}
