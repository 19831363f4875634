using System.Globalization;
using System.Threading.Channels;

namespace Broker.Gateway.Tracing;

/// <summary>
/// The one writer of all traces of a silo. Whoever has an event adds it to a bounded queue and goes on; when the queue is full the event is
/// missing, and the file says so where it is.
/// </summary>
/// <param name="ended">Told which trace the writer has ended, and why.</param>
internal sealed partial class TraceWriter(Action<Trace, string> ended, ILogger<TraceWriter> logger) : IAsyncDisposable
{
    // 4 Mi characters, 8 MiB: some seconds of a busy broker, so that only a disk that hangs makes events go missing.
    private const int MaxQueuedCharacters = 4 << 20;

    // Lines between two flushes while more wait.
    private const int Batch = 1000;

    // 2 s: who stops the broker waits for more important things.
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(2);

    private readonly Channel<Line> _lines = Channel.CreateUnbounded<Line>(new UnboundedChannelOptions { SingleReader = true });
    private readonly int _limit = MaxQueuedCharacters;
    private Task _writing = Task.CompletedTask;
    private bool _isStarted;
    private long _queued;
    private long _written;
    private long _missing;

    /// <summary>For tests: with a queue of so many characters.</summary>
    internal TraceWriter(Action<Trace, string> ended, ILogger<TraceWriter> logger, int limit)
        : this(ended, logger) => _limit = limit;

    /// <summary>Events written since the start.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Events that are missing since the start.</summary>
    public long Missing => Interlocked.Read(ref _missing);

    /// <summary>Begins to write what is in the queue. Not for two threads at once.</summary>
    public void Start()
    {
        if (!_isStarted)
        {
            _isStarted = true;
            _writing = Task.Run(WriteAsync);
        }
    }

    /// <summary>Adds an event. Never waits.</summary>
    public void Add(Trace trace, string line)
    {
        if (Interlocked.Add(ref _queued, line.Length) > _limit)
        {
            Interlocked.Add(ref _queued, -line.Length);
            Interlocked.Increment(ref _missing);
            trace.Miss();
            return;
        }

        _lines.Writer.TryWrite(new Line(trace, line, LineKind.Event, trace.TakeUntold()));
    }

    /// <summary>Adds something about the trace itself. It has its place whatever waits.</summary>
    public void Note(Trace trace, string line) => AddNote(new Line(trace, line, LineKind.Note, 0));

    /// <summary>Adds the last line, behind which the file is closed. It has its place as well.</summary>
    public void End(Trace trace, string line) => AddNote(new Line(trace, line, LineKind.Last, trace.TakeUntold()));

    /// <summary>Writes what waits, in bounded time.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing.WaitAsync(StopTime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void AddNote(Line line)
    {
        Interlocked.Add(ref _queued, line.Text.Length);
        _lines.Writer.TryWrite(line);
    }

    private async Task WriteAsync()
    {
        var touched = new HashSet<Trace>();
        while (await _lines.Reader.WaitToReadAsync())
        {
            for (var i = 0; i < Batch && _lines.Reader.TryRead(out var line); i++)
            {
                Interlocked.Add(ref _queued, -line.Text.Length);
                Guarded(line.Trace, () => Write(line));
                touched.Add(line.Trace);
            }

            foreach (var trace in touched)
            {
                Guarded(trace, trace.File.Flush);
            }

            touched.Clear();
        }
    }

    private void Write(Line line)
    {
        var (trace, file) = (line.Trace, line.Trace.File);
        if (line.MissingBefore > 0 && !file.TryAdd(MissingText(line.MissingBefore)))
        {
            EndFull(trace);
            return;
        }

        switch (line.Kind)
        {
            case LineKind.Event when file.TryAdd(line.Text):
                trace.Count();
                Interlocked.Increment(ref _written);
                break;
            case LineKind.Event:
                EndFull(trace);
                break;
            case LineKind.Note:
                file.Note(line.Text);
                break;
            case LineKind.Last:
            default:
                file.Note(line.Text);
                file.Dispose();
                break;
        }
    }

    private static string MissingText(long count) => string.Create(
        CultureInfo.InvariantCulture, $"# {count} events are missing here: they came faster than they could be written");

    private void EndFull(Trace trace)
    {
        trace.File.Note("# ended: the file is as large as it may be");
        trace.File.Dispose();
        ended(trace, "the file is full");
    }

    /// <summary>A file that cannot be written ends its trace, and no other.</summary>
    private void Guarded(Trace trace, Action work)
    {
        if (trace.File.IsClosed)
        {
            return;
        }

        try
        {
            work();
        }
        catch (Exception error)
        {
            // Whatever it is: this trace ends, and the writer goes on with the others.
            LogFailed(trace.Spec.Name, error);
            ended(trace, $"the file cannot be written: {error.Message}");
            Close(trace.File);
        }
    }

    private static void Close(TraceFile file)
    {
        try
        {
            file.Dispose();
        }
        catch (IOException)
        {
            // It has been said that it cannot be written; closing tries once more what is in its buffer.
        }
    }

    [LoggerMessage(1070, LogLevel.Warning, "Trace {Name} has ended: its file cannot be written")]
    private partial void LogFailed(string name, Exception error);

    private enum LineKind
    {
        Event,
        Note,
        Last,
    }

    private readonly record struct Line(Trace Trace, string Text, LineKind Kind, long MissingBefore);
}
