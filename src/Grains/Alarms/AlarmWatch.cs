using System.Collections.Concurrent;
using System.Globalization;
using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Options;
using Broker.Grains.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Alarms;

/// <summary>Looks at what has no event of its own: store, memory, processor, clock, and whatever else is registered as a cause; and notes silos that come and go.</summary>
public sealed partial class AlarmWatch(
    AlarmService alarms,
    AlarmOptions options,
    IMessageStore store,
    StoreMetrics commits,
    IEnumerable<IAlarmCause> causes,
    ILocalSiloDetails silo,
    ISiloStatusOracle oracle,
    TimeProvider time,
    ILogger<AlarmWatch> logger)
    : BackgroundService, ISiloStatusListener
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // CPU is judged over so many seconds: a burst is no alarm.
    private const int CpuWindow = 60;

    // Long enough to be seen by whoever looks at what has changed; it is over by itself.
    private static readonly TimeSpan JoinedFor = TimeSpan.FromMinutes(1);

    // An alarm of the clock says what happened, not what is: it is over when the clock has been steady for so long.
    private static readonly TimeSpan ClockSteady = TimeSpan.FromMinutes(10);

    private readonly ILogger _logger = logger;
    private readonly Queue<TimeSpan> _cpu = new();
    private readonly HashSet<SiloAddress> _dead = [];
    private readonly ConcurrentDictionary<SiloAddress, bool> _leaving = new();
    private readonly StoreSlowness _slowness = new(options.StoreSlow, options.StoreSlowFor);
    private readonly IAlarmCause[] _causes = [.. causes];

    // Names of silos that have left, and how many silos there were with them.
    private readonly Dictionary<string, int> _left = new(StringComparer.Ordinal);
    private TimeSpan _drift;
    private long _startedAt;
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
        Begin();
        var origin = time.GetUtcNow();
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                Look(time.GetUtcNow() - origin - time.GetElapsedTime(_startedAt));
            }
            catch (Exception error)
            {
                // Alarms are no reason to end a broker; the next second looks again.
                NotLooked(error);
            }
        }
    }

    /// <summary>The silo is active: what is so now is nothing new.</summary>
    internal void Begin()
    {
        _startedAt = _steadySince = time.GetTimestamp();
        NoteSilos(isStart: true);
        var others = oracle.GetApproximateSiloStatuses(onlyActive: true).Keys.Count(other => !other.Equals(silo.SiloAddress));
        alarms.Set(
            others > 0, JoinedAlarm, AlarmSeverity.Warning, "Silo joined", () => $"{silo.Name} ({silo.SiloAddress}) has come to {others} others");
    }

    /// <param name="drift">How far the clock is ahead of the time that has passed.</param>
    internal void Look(TimeSpan drift)
    {
        LookAtStore();
        LookAtMemory();
        LookAtProcessor();
        LookAtClock(drift);
        NoteSilos(isStart: false);
        if (time.GetElapsedTime(_startedAt) >= JoinedFor)
        {
            alarms.Clear(JoinedAlarm);
        }

        foreach (var cause in _causes)
        {
            cause.Look(alarms);
        }
    }

    private void LookAtStore()
    {
        alarms.Set(
            !store.IsAvailable, AlarmIds.StoreUnavailable + silo.Name, AlarmSeverity.Critical, "Store unavailable",
            () => $"{store.Description} takes no commits: durable work waits, or is refused");
        _slowness.Look(time.GetElapsedTime(_startedAt), commits.Commits, commits.CommitTime);
        alarms.Set(
            options.StoreSlow > TimeSpan.Zero && _slowness.IsSlow, AlarmIds.StoreSlow + silo.Name, AlarmSeverity.Warning, "Store slow",
            () => string.Create(CultureInfo.InvariantCulture, $"a commit to {store.Description} takes {_slowness.Mean.TotalSeconds:F2} s; publishers wait for it"));
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

    private string JoinedAlarm => AlarmIds.SiloJoined + silo.Name;

    /// <summary>A silo that died, or left: raised by whoever sees it, cleared when one of its name is there.</summary>
    private void NoteSilos(bool isStart)
    {
        var statuses = oracle.GetApproximateSiloStatuses();
        foreach (var (address, status) in statuses)
        {
            if (!oracle.TryGetSiloName(address, out var name))
            {
                continue;
            }

            if (status == SiloStatus.Dead && _dead.Add(address))
            {
                var hasLeft = _leaving.TryRemove(address, out _);
                if (!isStart && !HasLiving(name))
                {
                    NoteGone(address, name, hasLeft, CountActive(statuses));
                }
            }
            else if (status == SiloStatus.Active)
            {
                alarms.Clear(AlarmIds.SiloLost + name);
                alarms.Clear(AlarmIds.SiloLeft + name);
                _left.Remove(name);
            }
        }

        NoteReplaced(CountActive(statuses));
    }

    private void NoteGone(SiloAddress address, string name, bool hasLeft, int others)
    {
        if (!hasLeft)
        {
            alarms.Raise(AlarmIds.SiloLost + name, AlarmSeverity.Error, "Silo lost", $"{name} ({address}) is dead; its sessions are with the others");
            return;
        }

        _left[name] = others + 1;
        alarms.Raise(AlarmIds.SiloLeft + name, AlarmSeverity.Warning, "Silo left", $"{name} ({address}) has left in order; {others} are there");
    }

    /// <summary>An upgrade that gives silos new names leaves nobody to wait for: as many are there as before.</summary>
    private void NoteReplaced(int active)
    {
        foreach (var name in _left.Where(left => left.Value <= active).Select(static left => left.Key).ToList())
        {
            alarms.Clear(AlarmIds.SiloLeft + name);
            _left.Remove(name);
        }
    }

    private static int CountActive(Dictionary<SiloAddress, SiloStatus> statuses) => statuses.Values.Count(static status => status == SiloStatus.Active);

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
