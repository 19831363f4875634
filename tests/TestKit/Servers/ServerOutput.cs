using System.Diagnostics;
using System.Text;

namespace Broker.TestKit.Servers;

/// <summary>Collects what a process prints and lets tests wait for a line.</summary>
public sealed class ServerOutput
{
    // 8 MB of text: beyond it the older half goes, because what went wrong is at the end.
    private const int Limit = 8 << 20;

    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private readonly List<(Func<string, bool> Fits, TaskCompletionSource<string> Found)> _waiters = [];

    public string Text
    {
        get
        {
            lock (_gate)
            {
                return _text.ToString();
            }
        }
    }

    /// <summary>Completes with the first line from now on that fits; never, when there is none.</summary>
    public Task<string> LineAsync(Func<string, bool> fits)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiters.Add((fits, found));
        }

        return found.Task;
    }

    public void Attach(Process process)
    {
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
    }

    private void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_gate)
        {
            if (_text.Length > Limit)
            {
                _text.Remove(0, Limit / 2);
            }

            _text.AppendLine(line);

            foreach (var waiter in _waiters.Where(waiter => waiter.Fits(line)).ToList())
            {
                _waiters.Remove(waiter);
                waiter.Found.TrySetResult(line);
            }
        }
    }
}
