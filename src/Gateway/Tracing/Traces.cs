using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Broker.Gateway.Options;
using Broker.Gateway.Sys;
using Broker.Grains.Diagnostics;
using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Options;

namespace Broker.Gateway.Tracing;

/// <summary>
/// The traces of this silo. Those who have something to tell look at one field (<see cref="Active"/>), which is null while nothing is traced:
/// that is all that a message pays then. What is traced becomes a line on the thread that tells it, and is written by another one.
/// <code>
/// connection, loss ledger, publishes by HTTP ──▶ ActiveTraces: for whom? ──▶ a line ──▶ TraceWriter: queue, one writer ──▶ a file for each trace
/// </code>
/// </summary>
internal sealed partial class Traces : ITraces, IAsyncDisposable
{
    private const string Extension = ".log";

    // 256 KiB: what one call between silos carries well.
    private const int PartBytes = 256 << 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Trace> _known = new(StringComparer.Ordinal);
    private readonly Meter _meter = new("Broker.Gateway");
    private readonly TraceWriter _writer;
    private readonly TraceOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _folder;
    private volatile ActiveTraces? _active;
    private bool _isOver;

    public Traces(
        TraceOptions options, DataOptions data, StoreOptions store, ClusterOptions cluster, SysOptions sys, TimeProvider time, ILoggerFactory loggers)
    {
        (_options, _time, _logger) = (options, time, loggers.CreateLogger<Traces>());
        var folder = options.Directory is { Length: > 0 } given ? given : Path.Combine(data.Directory, "traces");

        // Silos may have one data folder together, with the users file in it. A port that is chosen anew at each start tells nothing.
        var node = sys.Node.Length > 0 ? sys.Node : Environment.MachineName;
        var port = cluster.Port == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"-{cluster.Port}");
        _folder = Path.GetFullPath(store.Kind == StoreKind.Postgres ? Path.Combine(folder, $"silo-{SysTopics.LevelOf(node)}{port}") : folder);
        _writer = new TraceWriter(End, loggers.CreateLogger<TraceWriter>());
        _meter.CreateObservableUpDownCounter("broker.traces.active", CountActive, description: "Traces that go on.");
        _meter.CreateObservableCounter("broker.traces.events", () => _writer.Written, description: "Events written to traces.");
        _meter.CreateObservableCounter(
            "broker.traces.missing", () => _writer.Missing, description: "Events that came faster than they could be written.");
    }

    /// <summary>What is traced now; null for nothing.</summary>
    public ActiveTraces? Active => _active;

    /// <inheritdoc />
    public void Dropped(string clientId, ReadOnlySpan<byte> topic, DropReason reason, int count, MessageId message)
    {
        if (_active is { } active && (active.For(clientId, null) | active.For(topic)) is > 0 and var to)
        {
            var id = message == MessageId.None ? "" : $" message={message}";
            active.Write(to, clientId, null, "--", string.Create(
                CultureInfo.InvariantCulture, $"DROPPED topic={PacketText.Quote(Encoding.UTF8.GetString(topic))} reason={reason} count={count}{id}"));
        }
    }

    /// <inheritdoc />
    public string? Start(TraceSpec spec, bool continues = false)
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            if (_isOver)
            {
                return "the broker is stopping";
            }

            if (TraceRules.Check(spec, _options, now) is { } wrong)
            {
                return wrong;
            }

            try
            {
                var names = Names();
                var isThere = names.Contains(spec.Name);
                if (isThere && (!continues || _known.ContainsKey(spec.Name)))
                {
                    return $"there is a trace '{spec.Name}': remove it, or take another name";
                }

                if (!isThere && names.Count >= _options.MaxCount)
                {
                    return string.Create(CultureInfo.InvariantCulture, $"there are {names.Count} traces, as many as may be (Broker:Trace:MaxCount): remove one");
                }

                Directory.CreateDirectory(_folder);
                Begin(new Trace(spec, new TraceFile(PathOf(spec.Name), _options.MaxFileSize, isThere), now));
                return null;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return $"the folder {_folder} cannot be written: {error.Message}";
            }
        }
    }

    /// <inheritdoc />
    public bool Stop(string name)
    {
        lock (_gate)
        {
            if (_known.TryGetValue(name, out var trace))
            {
                End(trace, "stopped");
                return true;
            }

            return Names().Contains(name);
        }
    }

    /// <inheritdoc />
    public bool Remove(string name)
    {
        lock (_gate)
        {
            if (!Names().Contains(name))
            {
                return false;
            }

            if (_known.Remove(name, out var trace))
            {
                End(trace, "removed");
            }

            if (TraceRules.IsName(name))
            {
                File.Delete(PathOf(name));
            }

            return true;
        }
    }

    /// <inheritdoc />
    public TraceReport[] All()
    {
        lock (_gate)
        {
            return [.. Names().Order(StringComparer.Ordinal).Select(name => _known.TryGetValue(name, out var trace) ? trace.Report() : Left(name))];
        }
    }

    /// <inheritdoc />
    public TracePart Read(string name, long offset)
    {
        try
        {
            if (!TraceRules.IsName(name))
            {
                return new TracePart();
            }

            using var file = new FileStream(PathOf(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[Math.Clamp(file.Length - offset, 0, PartBytes)];
            file.Position = offset;
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return new TracePart { IsThere = true, Bytes = bytes[..length] };
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return new TracePart();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isOver = true;
            foreach (var trace in _known.Values)
            {
                End(trace, "the broker has stopped");
            }
        }

        await _writer.DisposeAsync();
        _meter.Dispose();
    }

    private void Begin(Trace trace)
    {
        var spec = trace.Spec;
        var what = spec.ClientId is { } client ? $"client {PacketText.Quote(client)}"
            : spec.Filter is { } filter ? $"topic {PacketText.Quote(filter)}" : $"address {spec.Addresses}";
        _known.Add(spec.Name, trace);
        _writer.Start();
        _writer.Note(trace, $"# trace of {what}, {trace.StartedAt:u} to {DateTimeOffset.FromUnixTimeMilliseconds(spec.EndsAt):u}");
        trace.Timer = _time.CreateTimer(
            _ => End(trace, "its time is over"), null, DateTimeOffset.FromUnixTimeMilliseconds(spec.EndsAt) - trace.StartedAt, Timeout.InfiniteTimeSpan);
        Renew();
        LogStarted(spec.Name, what);
    }

    private void End(Trace trace, string ending)
    {
        lock (_gate)
        {
            if (trace.Ending is null)
            {
                trace.Ending = ending;
                trace.Timer?.Dispose();
                Renew();
                _writer.End(trace, $"# ended: {ending}");
                LogEnded(trace.Spec.Name, ending);
            }
        }
    }

    private void Renew()
    {
        Trace[] active = [.. _known.Values.Where(static trace => trace.Ending is null)];
        _active = active.Length == 0 ? null : new ActiveTraces(active, _writer, _time);
    }

    /// <summary>Of all traces that go on or whose file is there; who deletes a file has deleted the trace.</summary>
    private HashSet<string> Names()
    {
        HashSet<string> names = [.. Files().Select(Path.GetFileNameWithoutExtension).OfType<string>().Where(TraceRules.IsName)];
        foreach (var (name, trace) in _known)
        {
            if (trace.Ending is null)
            {
                names.Add(name);
            }
            else if (!names.Contains(name))
            {
                _known.Remove(name);
            }
        }

        return names;
    }

    private string[] Files()
    {
        try
        {
            return Directory.GetFiles(_folder, "*" + Extension);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // There is no folder, or none for this user: no trace has left a file, and who starts one is told why it cannot.
            return [];
        }
    }

    private TraceReport Left(string name)
    {
        var file = new FileInfo(PathOf(name));
        return new TraceReport { Name = name, Ending = "left by an earlier process", Bytes = file.Exists ? file.Length : 0 };
    }

    private string PathOf(string name) => Path.Combine(_folder, name + Extension);

    private int CountActive()
    {
        lock (_gate)
        {
            return _known.Values.Count(static trace => trace.Ending is null);
        }
    }

    [LoggerMessage(1071, LogLevel.Information, "Trace {Name} of {What} has started")]
    private partial void LogStarted(string name, string what);

    [LoggerMessage(1072, LogLevel.Information, "Trace {Name} has ended: {Ending}")]
    private partial void LogEnded(string name, string ending);
}
