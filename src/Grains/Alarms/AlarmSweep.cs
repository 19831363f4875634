using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Alarms;

/// <summary>
/// Clears alarms whose owner has died: nobody is left who would see that the cause is gone. A silo looks after its own, and after those of
/// silos that do not live. Registered behind what brings back the sessions: one that is not here by then does not come any more.
/// </summary>
public sealed partial class AlarmSweep : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly AlarmService _alarms;
    private readonly AlarmOptions _options;
    private readonly ILocalSiloDetails _silo;
    private readonly ISiloStatusOracle _oracle;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<string, bool?> _review;
    private readonly Func<string, CancellationToken, Task<bool>>? _isStored;

    // Alarms without an owner, and since when.
    private Dictionary<string, long> _orphans = new(StringComparer.Ordinal);

    public AlarmSweep(
        AlarmService alarms,
        AlarmOptions options,
        SessionTable sessions,
        ILocalSiloDetails silo,
        ISiloStatusOracle oracle,
        TimeProvider time,
        ILogger<AlarmSweep> logger,
        ClusterStore? store = null)
        : this(alarms, options, clientId => sessions.Find(clientId)?.ReviewAlarm(), silo, oracle, time, logger)
    {
        if (store is not null)
        {
            // Number 0: a Will is left of it.
            _isStored = async (clientId, token) => await store.FindAsync(clientId, token) is { Number: not 0 };
        }
    }

    /// <param name="review">Whether the queue of a session of this silo is high; null when there is no such session here.</param>
    /// <param name="isStored">Whether a durable session of that name is anywhere in the cluster; null: there are only those of this silo.</param>
    internal AlarmSweep(
        AlarmService alarms,
        AlarmOptions options,
        Func<string, bool?> review,
        ILocalSiloDetails silo,
        ISiloStatusOracle oracle,
        TimeProvider time,
        ILogger<AlarmSweep> logger,
        Func<string, CancellationToken, Task<bool>>? isStored = null)
    {
        _alarms = alarms;
        _options = options;
        _review = review;
        _isStored = isStored;
        _silo = silo;
        _oracle = oracle;
        _time = time;
        _logger = logger;
    }

    /// <summary>Looks at every raised alarm once.</summary>
    internal async Task SweepAsync(CancellationToken cancellationToken)
    {
        var raised = _alarms.Raised();
        if (raised.Count == 0)
        {
            _orphans.Clear();
            return;
        }

        var living = LivingNames();
        var orphans = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var alarm in raised.GroupBy(static a => a.Id))
        {
            List<AlarmState> occurrences = [.. alarm];
            if (await IsLeftAsync(alarm.Key, occurrences, living, orphans, cancellationToken) && _alarms.Clear(occurrences))
            {
                Swept(alarm.Key);
            }
        }

        _orphans = orphans;
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                // The database does not answer: what it has to be asked for is looked at in the next second.
                NotSwept(error);
            }
        }
    }

    private async Task<bool> IsLeftAsync(
        string id, List<AlarmState> occurrences, HashSet<string> living, Dictionary<string, long> orphans, CancellationToken cancellationToken)
    {
        if (id.StartsWith(AlarmIds.SiloLost, StringComparison.Ordinal) || id.StartsWith(AlarmIds.SiloLeft, StringComparison.Ordinal))
        {
            // One of that name may never come: a name is often made of an address.
            var age = _time.GetUtcNow().ToUnixTimeMilliseconds() - occurrences.Max(static a => a.RaisedAt);
            return age >= _options.SiloLostFor.TotalMilliseconds;
        }

        if (id.StartsWith(AlarmIds.SiloSilent, StringComparison.Ordinal))
        {
            // Of one that does not live nobody expects an answer; and of what a silo has said that is gone, no other knows the end.
            return !living.Contains(id[AlarmIds.SiloSilent.Length..])
                || (!occurrences.Exists(a => living.Contains(a.Node)) && IsOrphan(id, orphans, _options.OrphanedAfter));
        }

        if (id.StartsWith(AlarmIds.QueueHigh, StringComparison.Ordinal))
        {
            return await IsSessionGoneAsync(id, occurrences, living, orphans, cancellationToken);
        }

        return AlarmIds.OfNodes.FirstOrDefault(prefix => id.StartsWith(prefix, StringComparison.Ordinal)) is { } kind
            && !living.Contains(id[kind.Length..])
            && IsOrphan(id, orphans, _options.OrphanedAfter);
    }

    private async Task<bool> IsSessionGoneAsync(
        string id, List<AlarmState> occurrences, HashSet<string> living, Dictionary<string, long> orphans, CancellationToken cancellationToken)
    {
        var clientId = id[AlarmIds.QueueHigh.Length..];
        if (_review(clientId) is { } isHigh)
        {
            if (isHigh)
            {
                _alarms.TakeOver(id);
            }

            return false;
        }

        if (occurrences.Exists(a => a.Node != _silo.Name && living.Contains(a.Node)))
        {
            // It is that silo's to clear.
            return false;
        }

        // In a cluster the client may be at a silo that is just taking the alarm over, and a durable session on its way to one.
        if (!IsOrphan(id, orphans, _isStored is null ? TimeSpan.Zero : _options.OrphanedAfter))
        {
            return false;
        }

        if (_isStored is not null && await _isStored(clientId, cancellationToken))
        {
            // Whoever has it will look at its queue. Asked again when as much time has passed.
            orphans[id] = _time.GetTimestamp();
            return false;
        }

        return true;
    }

    /// <summary>Whether an alarm has been without an owner for some time.</summary>
    private bool IsOrphan(string id, Dictionary<string, long> orphans, TimeSpan limit)
    {
        var since = _orphans.TryGetValue(id, out var known) ? known : _time.GetTimestamp();
        orphans[id] = since;
        return _time.GetElapsedTime(since) >= limit;
    }

    private HashSet<string> LivingNames()
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { _silo.Name };
        foreach (var (address, status) in _oracle.GetApproximateSiloStatuses())
        {
            if (status is not (SiloStatus.Dead or SiloStatus.None) && _oracle.TryGetSiloName(address, out var name))
            {
                names.Add(name);
            }
        }

        return names;
    }

    [LoggerMessage(705, LogLevel.Information, "Alarm {Id} was cleared because nobody is left who would do so")]
    private partial void Swept(string id);

    [LoggerMessage(706, LogLevel.Debug, "Alarms that nobody looks after could not be looked at")]
    private partial void NotSwept(Exception error);
}
