using System.Diagnostics;

namespace Broker.TestKit.Clients;

/// <summary>The last packets both ways, for the text of a failure.</summary>
internal sealed class History
{
    // 60: more than a test exchanges by hand, little enough to read.
    private const int Limit = 60;

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _dropped;

    public void Add(string line)
    {
        lock (_gate)
        {
            _lines.Enqueue($"{_clock.ElapsedMilliseconds,6} ms {line}");
            if (_lines.Count > Limit)
            {
                _lines.Dequeue();
                _dropped++;
            }
        }
    }

    public override string ToString()
    {
        lock (_gate)
        {
            var earlier = _dropped > 0 ? $"    … {_dropped} earlier\n" : "";
            return earlier + string.Join('\n', _lines.Select(line => "    " + line));
        }
    }
}
