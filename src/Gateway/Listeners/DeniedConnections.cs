using System.Net;

namespace Broker.Gateway.Listeners;

/// <summary>Connections that the access list of their listener has refused: all are counted, and some of them logged, however many come.</summary>
internal sealed partial class DeniedConnections(TimeProvider time, ILogger<DeniedConnections> logger)
{
    // 10 s: whoever looks for the cause finds the line, and somebody who tries without end fills no disk.
    internal static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private long _count;
    private long _told;
    private long? _toldAt;

    /// <summary>All of them since the start.</summary>
    public long Count
    {
        get
        {
            lock (_gate)
            {
                return _count;
            }
        }
    }

    /// <param name="key">Key of the list.</param>
    public void Add(IPAddress client, string key)
    {
        long untold;
        lock (_gate)
        {
            _count++;
            var now = time.GetTimestamp();
            if (_toldAt is { } at && time.GetElapsedTime(at, now) < Pause)
            {
                return;
            }

            untold = _count - _told - 1;
            (_told, _toldAt) = (_count, now);
        }

        LogDenied(client, key, untold);
    }

    [LoggerMessage(1050, LogLevel.Information, "Connection from {Address} refused by {Key}; {Others} others since the last line like this")]
    private partial void LogDenied(IPAddress address, string key, long others);
}
