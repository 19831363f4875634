using System.Diagnostics.Metrics;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>Counters of the message path. A thread counts in its own cell; reading adds the cells up.</summary>
internal sealed class ConnectionMetrics : IDisposable
{
    [ThreadStatic]
    private static Cell? _cell;

    private readonly Meter _meter = new("Broker.Gateway");
    private readonly List<Cell> _cells = [];
    private readonly Lock _gate = new();

    public ConnectionMetrics(ConnectionRegistry registry)
    {
        _meter.CreateObservableUpDownCounter("broker.connections", () => registry.Count, description: "Open connections.");
        _meter.CreateObservableCounter("broker.bytes.received", () => Sum(c => c.BytesReceived), "By");
        _meter.CreateObservableCounter("broker.packets.received", () => Sum(c => c.PacketsReceived));
        _meter.CreateObservableCounter("broker.messages.published", () => Sum(c => c.Published));
        _meter.CreateObservableCounter("broker.messages.delivered", () => Sum(c => c.Delivered));
        _meter.CreateObservableCounter("broker.alias.bytes_saved", () => Sum(c => c.Saved), "By");
        _meter.CreateObservableCounter("broker.violations", () => Sum(c => c.Violations));
    }

    private Cell Mine => _cell is { } cell && cell.Owner == this ? cell : NewCell();

    public void Received(long bytes)
    {
        var cell = Mine;
        cell.BytesReceived += bytes;
        cell.PacketsReceived++;
    }

    public void Published(QualityOfService qos) => Mine.Published++;

    public void Delivered(QualityOfService qos) => Mine.Delivered++;

    /// <summary>Bytes that a topic alias has saved; negative where one is introduced.</summary>
    public void Saved(int bytes) => Mine.Saved += bytes;

    public void Violation() => Mine.Violations++;

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    private long Sum(Func<Cell, long> value)
    {
        lock (_gate)
        {
            return _cells.Sum(value);
        }
    }

    private Cell NewCell()
    {
        _cell = new Cell(this);
        lock (_gate)
        {
            _cells.Add(_cell);
        }

        return _cell;
    }

    private sealed class Cell(ConnectionMetrics owner)
    {
        public ConnectionMetrics Owner => owner;

        public long BytesReceived;
        public long PacketsReceived;
        public long Published;
        public long Delivered;
        public long Saved;
        public long Violations;
    }
}
