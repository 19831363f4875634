using System.Diagnostics.Metrics;
using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Alarms;

/// <summary>
/// Raises and clears alarms. They are rows, so they survive a restart; every silo has all of them, see <see cref="AlarmExchange"/>; one that is raised is
/// not raised again. May be called from anywhere, under any lock: it takes a short lock of its own, under which it calls only the book, and posts to
/// the store so that rows are written in the order of the changes; neither waits, and neither calls back.
/// </summary>
public sealed partial class AlarmService : IDisposable
{
    /// <summary>Kind of the rows.</summary>
    internal const string Kind = "alarm";

    private readonly Lock _gate = new();
    private readonly AlarmBook _book;
    private readonly AlarmOptions _options;
    private readonly IMessageStore _store;
    private readonly MessageIdSource _ids;
    private readonly ILocalSiloDetails _silo;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Meter _meter = new("Broker.Alarms");
    private readonly Counter<long> _refused;
    private Task _announcements = Task.CompletedTask;

    public AlarmService(
        AlarmOptions options, IMessageStore store, MessageIdSource ids, ILocalSiloDetails silo, TimeProvider time, ILogger<AlarmService> logger)
    {
        _options = options;
        _book = new AlarmBook(options);
        _store = store;
        _ids = ids;
        _silo = silo;
        _time = time;
        _logger = logger;
        _meter.CreateObservableUpDownCounter("broker.alarms.raised", () => Read(static book => book.RaisedCount), description: "Alarms that are raised, in the cluster.");
        _refused = _meter.CreateCounter<long>("broker.alarms.refused", description: "Alarms that were not raised because there are too many.");
    }

    /// <summary>Told of every change that this silo has made, in order, on a thread of the pool.</summary>
    public event Action<AlarmState>? Changed;

    /// <summary>Whether an alarm is raised, on whichever silo.</summary>
    public bool IsRaised(string id)
    {
        lock (_gate)
        {
            return _book.IsRaised(id);
        }
    }

    /// <summary>The raised alarms, then those that were cleared, the latest first.</summary>
    public IReadOnlyList<AlarmState> List() => Read(static book => book.List());

    /// <summary>Raises an alarm, unless it is raised.</summary>
    public void Raise(string id, AlarmSeverity severity, string title, string summary)
    {
        lock (_gate)
        {
            if (_book.IsRaised(id))
            {
                return;
            }

            if (_book.RaisedCount >= _options.MaxRaised)
            {
                _refused.Add(1);
                return;
            }

            Put(new AlarmState
            {
                Occurrence = _ids.Next(0).ToString(),
                Id = id,
                Node = _silo.Name,
                Severity = severity,
                Title = title,
                Summary = summary,
                RaisedAt = Now,
            });
        }

        LogRaised(id, severity, title, summary);
    }

    /// <summary>Clears an alarm, if it is raised.</summary>
    /// <returns>Whether it was.</returns>
    public bool Clear(string id)
    {
        lock (_gate)
        {
            if (!End(_book.Raised(id)))
            {
                return false;
            }
        }

        LogCleared(id);
        return true;
    }

    /// <summary>Raises or clears, as a condition says.</summary>
    public void Set(bool isWrong, string id, AlarmSeverity severity, string title, Func<string> summary)
    {
        if (!isWrong)
        {
            Clear(id);
        }
        else if (!IsRaised(id))
        {
            Raise(id, severity, title, summary());
        }
    }

    /// <summary>Reads the rows. Once, before anybody raises.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var rows = await _store.LoadItemsAsync(Kind, cancellationToken);
        List<string> forgotten = [];
        lock (_gate)
        {
            foreach (var row in rows)
            {
                _book.Put(AlarmCodec.Decode(row.Value), forgotten);
            }

            // There were to be more of them, or the deletion of one has come before its write.
            Forget(forgotten);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    /// <summary>Every occurrence that is raised.</summary>
    internal List<AlarmState> Raised() => Read(static book => book.Raised());

    /// <summary>Clears occurrences of an alarm, if they are still raised; one that was raised since stays.</summary>
    /// <returns>Whether one was.</returns>
    internal bool Clear(IReadOnlyCollection<AlarmState> occurrences)
    {
        lock (_gate)
        {
            return End(occurrences);
        }
    }

    /// <summary>Makes a raised alarm this silo's: its cause is here now, whoever raised it.</summary>
    internal void TakeOver(string id)
    {
        lock (_gate)
        {
            var raised = _book.Raised(id);
            if (raised.Count == 0 || raised.Exists(a => a.Node == _silo.Name))
            {
                return;
            }

            // In this order: who is told of both sees it raised in the end.
            End(raised);
            Put(raised[0] with { Occurrence = _ids.Next(0).ToString(), Node = _silo.Name });
        }
    }

    /// <summary>What has changed after a version, and the version now.</summary>
    internal (long Version, List<AlarmState> Changes) ChangedAfter(long version)
    {
        lock (_gate)
        {
            return (_book.Version, _book.ChangedAfter(version));
        }
    }

    /// <summary>Takes what another silo knows. Its rows are that silo's to write.</summary>
    internal void Learn(IEnumerable<AlarmState> states)
    {
        lock (_gate)
        {
            foreach (var state in states)
            {
                List<string> forgotten = [];
                _book.Put(state, forgotten);
                Forget(forgotten);
            }
        }
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private T Read<T>(Func<AlarmBook, T> read)
    {
        lock (_gate)
        {
            return read(_book);
        }
    }

    private bool End(IReadOnlyCollection<AlarmState> occurrences)
    {
        var now = Now;
        var any = false;
        foreach (var state in occurrences)
        {
            any |= _book.IsRaised(state) && Put(state with { ClearedAt = now });
        }

        return any;
    }

    private bool Put(AlarmState state)
    {
        List<string> forgotten = [];
        if (!_book.Put(state, forgotten))
        {
            return false;
        }

        var rank = state.ClearedAt is null ? 0 : 1;
        _store.Post(new AlarmWrite(new ItemRow(Kind, state.Occurrence, rank, AlarmCodec.Encode(state))));
        Forget(forgotten);
        _announcements = _announcements.ContinueWith(
            _ => Announce(state), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return true;
    }

    private void Announce(AlarmState state)
    {
        try
        {
            Changed?.Invoke(state);
        }
        catch (Exception error)
        {
            // Whoever listens has failed; the alarm is in the list and the store all the same.
            LogNotAnnounced(state.Id, error);
        }
    }

    private void Forget(List<string> forgotten)
    {
        foreach (var occurrence in forgotten)
        {
            _store.Post(new AlarmDeletion(occurrence));
        }
    }

    [LoggerMessage(700, LogLevel.Warning, "Alarm {Id} ({Severity}): {Title}: {Summary}")]
    private partial void LogRaised(string id, AlarmSeverity severity, string title, string summary);

    [LoggerMessage(701, LogLevel.Information, "Alarm {Id} is over")]
    private partial void LogCleared(string id);

    [LoggerMessage(703, LogLevel.Error, "Alarm {Id} was not announced to everybody")]
    private partial void LogNotAnnounced(string id, Exception error);

    private sealed class AlarmWrite(ItemRow row) : StoreWrite
    {
        public override bool MustSucceed => true;

        public override int Bytes => row.Value.Length + 64;

        public override void AddTo(IStoreBatch batch) => batch.PutItem(row);
    }

    private sealed class AlarmDeletion(string occurrence) : StoreWrite
    {
        public override bool MustSucceed => true;

        public override void AddTo(IStoreBatch batch) => batch.DeleteItem(Kind, occurrence);
    }
}
