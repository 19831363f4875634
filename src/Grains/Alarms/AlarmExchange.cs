using Broker.Grains.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Alarms;

/// <summary>
/// Tells the other silos what has changed, each until it has answered. A silo that joins is told everything; nothing is told twice but to one whose
/// answer was lost, which changes nothing there.
/// </summary>
public sealed partial class AlarmExchange(
    AlarmService alarms, LiveSilos silos, InboxClient inboxes, TimeProvider time, ILogger<AlarmExchange> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger = logger;
    private readonly Dictionary<SiloAddress, long> _told = [];

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var others = silos.All.Where(silo => !silo.Equals(silos.Local)).ToList();
            foreach (var gone in _told.Keys.Except(others).ToList())
            {
                _told.Remove(gone);
            }

            await Task.WhenAll(others.Select(TellAsync));
        }
    }

    private async Task TellAsync(SiloAddress silo)
    {
        long told;
        lock (_told)
        {
            told = _told.GetValueOrDefault(silo);
        }

        var (version, changes) = alarms.ChangedAfter(told);
        if (changes.Count == 0)
        {
            return;
        }

        try
        {
            await inboxes.Of(silo).Alarms([.. changes]).WaitAsync(Patience);
            lock (_told)
            {
                _told[silo] = version;
            }
        }
        catch (Exception error)
        {
            // It starts, stops, dies, or is of a version without alarms: told again at the next tick.
            NotTold(error, silo);
        }
    }

    [LoggerMessage(702, LogLevel.Debug, "Silo {Silo} could not be told of alarms")]
    private partial void NotTold(Exception error, SiloAddress silo);
}
