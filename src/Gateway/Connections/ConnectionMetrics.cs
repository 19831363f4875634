using System.Diagnostics.Metrics;
using Broker.Gateway.Listeners;
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

    public ConnectionMetrics(ConnectionRegistry registry, ConnectionGate gate)
    {
        _meter.CreateObservableUpDownCounter("broker.connections", () => registry.Count, description: "Open connections.");
        _meter.CreateObservableCounter("broker.connections.opened", () => gate.Opened, description: "Connections that clients have opened.");
        _meter.CreateObservableCounter(
            "broker.connections.refused", () => gate.Refused, description: "Those that were refused: denied, too many, or the broker stops.");
        _meter.CreateObservableCounter(
            "broker.connections.denied", () => gate.Denied, description: "Those that the access list of their listener has refused, or that came from a balancer without its header.");
        _meter.CreateObservableCounter("broker.bytes.received", () => Sum(c => c.BytesReceived), "By", "Bytes of whole packets received.");
        _meter.CreateObservableCounter("broker.bytes.sent", () => Sum(c => c.BytesSent), "By", "Bytes handed to the transport.");
        _meter.CreateObservableCounter("broker.packets.received", () => Sum(c => c.Received.Sum()), description: "Packets received.");
        _meter.CreateObservableCounter(
            "broker.packets.sent", () => Sum(c => c.Sent.Sum() + c.Delivered.Sum()), description: "Packets sent.");
        _meter.CreateObservableCounter("broker.messages.published", () => Sum(c => c.Published.Sum()), description: "PUBLISH received.");
        _meter.CreateObservableCounter("broker.messages.delivered", () => Sum(c => c.Delivered.Sum()), description: "PUBLISH sent.");
        _meter.CreateObservableUpDownCounter(
            "broker.alias.bytes_saved",
            () => Sum(c => c.Saved),
            "By",
            "Bytes not sent because a topic alias stood for the topic, less those that introduced the aliases.");
        _meter.CreateObservableCounter(
            "broker.violations", () => Sum(c => c.Violations), description: "Connections ended for a protocol violation.");
    }

    private Cell Mine => _cell is { } cell && cell.Owner == this ? cell : NewCell();

    public void Received(PacketType type, long bytes)
    {
        var cell = Mine;
        cell.BytesReceived += bytes;
        cell.Received[(int)type]++;
    }

    /// <summary>A packet other than PUBLISH, which <see cref="Delivered"/> counts.</summary>
    public void Sent(PacketType type) => Mine.Sent[(int)type]++;

    /// <summary>Bytes that a transport has taken; once for each write, whatever number of packets it carries.</summary>
    public void Written(int bytes) => Mine.BytesSent += bytes;

    public void Published(QualityOfService qos) => Mine.Published[(int)qos]++;

    public void Delivered(QualityOfService qos) => Mine.Delivered[(int)qos]++;

    /// <summary>Bytes that a topic alias has saved; negative where one is introduced.</summary>
    public void Saved(int bytes) => Mine.Saved += bytes;

    public void Violation() => Mine.Violations++;

    /// <summary>Everything that was counted so far, added up over the threads.</summary>
    public ConnectionTotals Totals()
    {
        var totals = new ConnectionTotals();
        lock (_gate)
        {
            foreach (var cell in _cells)
            {
                totals.BytesReceived += cell.BytesReceived;
                totals.BytesSent += cell.BytesSent;
                Add(totals.Received, cell.Received);
                Add(totals.Sent, cell.Sent);
                Add(totals.Published, cell.Published);
                Add(totals.Delivered, cell.Delivered);
            }
        }

        totals.Sent[(int)PacketType.Publish] = totals.Delivered.Sum();
        return totals;
    }

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    private static void Add(long[] totals, long[] values)
    {
        for (var i = 0; i < totals.Length; i++)
        {
            totals[i] += values[i];
        }
    }

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

        public readonly long[] Received = new long[ConnectionTotals.PacketTypes];
        public readonly long[] Sent = new long[ConnectionTotals.PacketTypes];
        public readonly long[] Published = new long[ConnectionTotals.QosLevels];
        public readonly long[] Delivered = new long[ConnectionTotals.QosLevels];
        public long BytesReceived;
        public long BytesSent;
        public long Saved;
        public long Violations;
    }
}
