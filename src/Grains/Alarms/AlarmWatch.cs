using System.Collections.Concurrent;
using System.Globalization;
using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Options;
using Broker.Grains.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Alarms;

/// <summary>Looks at what has no event of its own: store, memory, processor, clock, and silos that died.</summary>
public sealed partial class AlarmWatch(
    AlarmService alarms,
    AlarmOptions options,
    IMessageStore store,
    ILocalSiloDetails silo,
    ISiloStatusOracle oracle,
    TimeProvider time,
    ILogger<AlarmWatch> logger)
    : BackgroundService, ISiloStatusListener
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // CPU is judged over so many seconds: a burst is no alarm.
    private const int CpuWindow = 60;

    // An alarm of the clock says what happened, not what is: it is over when the clock has been steady for so long.
    private static readonly TimeSpan ClockSteady = TimeSpan.FromMinutes(10);

    private readonly ILogger _logger = logger;
    private readonly Queue<TimeSpan> _cpu = new();
    private readonly HashSet<SiloAddress> _dead = [];
    private readonly ConcurrentDictionary<SiloAddress, bool> _leaving = new();
    private TimeSpan _drift;
    private long _steadySince;

    /// <inheritdoc />
    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (status is SiloStatus.ShuttingDown or SiloStatus.Stopping)
        {
            _leaving[updatedSilo] = true;
        }
    }

    /// <inheritdoc />
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        oracle.SubscribeToSiloStatusEvents(this);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        oracle.UnSubscribeFromSiloStatusEvents(this);
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var start = time.GetTimestamp();
        var origin = time.GetUtcNow();
        _steadySince = start;
        NoteDead(isStart: true);
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                Look(time.GetUtcNow() - origin - time.GetElapsedTime(start));
            }
            catch (Exception error)
            {
                // Alarms are no reason to end a broker; the next second looks again.
                NotLooked(error);
            }
        }
    }

    private void Look(TimeSpan drift)
    {
        alarms.Set(
            !store.IsAvailable, AlarmIds.StoreUnavailable + silo.Name, AlarmSeverity.Critical, "Store unavailable",
            () => $"{store.Description} takes no commits: durable work is refused");
        LookAtMemory();
        LookAtProcessor();
        LookAtClock(drift);
        NoteDead(isStart: false);
    }

    private void LookAtMemory()
    {
        var memory = GC.GetGCMemoryInfo();
        var limit = memory.TotalAvailableMemoryBytes;
        var used = Environment.WorkingSet;
        Judge(
            used / (double)limit, options.MemoryHigh, AlarmIds.MemoryHigh + silo.Name, "Memory high",
            () => string.Create(CultureInfo.InvariantCulture, $"{used >> 20} MiB of {limit >> 20} MiB are in use"));
    }

    private void LookAtProcessor()
    {
        _cpu.Enqueue(Environment.CpuUsage.TotalTime);
        if (_cpu.Count <= CpuWindow)
        {
            return;
        }

        var share = (Environment.CpuUsage.TotalTime - _cpu.Dequeue()) / (CpuWindow * Interval * Environment.ProcessorCount);
        Judge(
            share, options.CpuHigh, AlarmIds.CpuHigh + silo.Name, "CPU high",
            () => string.Create(CultureInfo.InvariantCulture, $"{share:P0} of {Environment.ProcessorCount} cores over {CpuWindow} s"));
    }

    /// <param name="drift">How far the clock is ahead of the time that has passed.</param>
    private void LookAtClock(TimeSpan drift)
    {
        var jump = drift - _drift;
        _drift = drift;
        if (jump.Duration() > options.ClockJump)
        {
            _steadySince = time.GetTimestamp();
            alarms.Raise(
                ClockAlarm, AlarmSeverity.Warning, "Clock jumped",
                string.Create(CultureInfo.InvariantCulture, $"by {jump.TotalSeconds:+0.0;-0.0} s; expiry is counted by it"));
        }
        else if (time.GetElapsedTime(_steadySince) > ClockSteady)
        {
            alarms.Clear(ClockAlarm);
        }
    }

    private string ClockAlarm => AlarmIds.ClockJump + silo.Name;

    /// <summary>A silo that died without leaving: raised by whoever sees it, cleared when one of its name is there.</summary>
    private void NoteDead(bool isStart)
    {
        foreach (var (address, status) in oracle.GetApproximateSiloStatuses())
        {
            if (!oracle.TryGetSiloName(address, out var name))
            {
                continue;
            }

            if (status == SiloStatus.Dead)
            {
                if (!_dead.Add(address) || _leaving.TryRemove(address, out _) || isStart || HasLiving(name))
                {
                    continue;
                }

                alarms.Raise(AlarmIds.SiloLost + name, AlarmSeverity.Error, "Silo lost", $"{name} ({address}) is dead; its sessions are with the others");
            }
            else if (status == SiloStatus.Active)
            {
                alarms.Clear(AlarmIds.SiloLost + name);
            }
        }
    }

    private bool HasLiving(string name) => oracle.GetApproximateSiloStatuses(onlyActive: true).Keys
        .Any(address => oracle.TryGetSiloName(address, out var other) && other == name);

    [LoggerMessage(704, LogLevel.Error, "Causes of alarms could not be looked at")]
    private partial void NotLooked(Exception error);

    private void Judge(double value, double high, string id, string title, Func<string> summary)
    {
        if (value > high || value < high * 0.9)
        {
            alarms.Set(value > high, id, AlarmSeverity.Warning, title, summary);
        }
    }
}
