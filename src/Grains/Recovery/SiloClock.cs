using Broker.Grains.Cluster;
using Broker.Grains.Delayed;
using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Retained;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Wills;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Recovery;

/// <summary>
/// Everything that happens because time passes, on one timer: sessions expire, delayed Wills and messages are published, expired
/// retained messages go, and the store learns that the broker is alive.
/// </summary>
public sealed partial class SiloClock(
    SessionExpiryQueue expiry,
    WillService wills,
    DelayedPublisher delayed,
    RetainedMessages retained,
    RetainedRepair repair,
    IMessageStore store,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<SiloClock> logger,
    RetainedSync? sync = null) : BackgroundService
{
    // Session Expiry and Will Delay are in whole seconds.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    // How far the end of connections may be misjudged after a crash.
    private const int AliveEveryTicks = 8;
    private const int SweepRetainedEveryTicks = 240;
    private const int ExpiriesPerTick = 1000;

    private readonly ILogger _logger = logger;
    private Task _expiring = Task.CompletedTask;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Tick, time);
        for (var tick = 1L; await timer.WaitForNextTickAsync(stoppingToken); tick++)
        {
            try
            {
                await PassAsync(tick);
            }
            catch (Exception error)
            {
                // The next tick tries again what this one could not do.
                TickFailed(error);
            }
        }
    }

    private async Task PassAsync(long tick)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        wills.Tick();
        delayed.Tick();
        repair.Tick();
        if (_expiring.IsCompleted)
        {
            // Beside the rest: what a session still has in the store is read before it ends.
            _expiring = Task.WhenAll(expiry.Take(now, ExpiriesPerTick).Select(ExpireAsync));
        }

        if (tick % AliveEveryTicks == 0)
        {
            store.NoteAlive();
            store.Post(new AliveWrite(now));
        }

        if (tick % SweepRetainedEveryTicks == 0)
        {
            if (retained.RemoveExpired(now) is { Count: > 0 } expired)
            {
                store.Post(new RetainedWrite(retained, expired));
            }

            await (sync?.PurgeAsync() ?? Task.CompletedTask);
        }
    }

    private async Task ExpireAsync(Session session)
    {
        try
        {
            await grains.GetGrain<ISessionGrain>(GrainKeys.Session(session.ClientId)).Expire();
        }
        catch (Exception error)
        {
            TickFailed(error);
            expiry.Add(session);
        }
    }

    [LoggerMessage(2050, LogLevel.Error, "Expiry of sessions and Wills failed; tried again shortly")]
    private partial void TickFailed(Exception error);

    private sealed class AliveWrite(long now) : StoreWrite
    {
        public override void AddTo(IStoreBatch batch) => batch.PutLastAlive(now);
    }
}
