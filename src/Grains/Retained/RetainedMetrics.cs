using System.Diagnostics.Metrics;

namespace Broker.Grains.Retained;

/// <summary>Figures of the retained messages of this silo, counted whenever they are read.</summary>
internal sealed class RetainedMetrics : IDisposable
{
    private readonly Meter _meter = new("Broker.Grains.Retained");

    public RetainedMetrics(RetainedMessages retained, RetainedRepair repair)
    {
        _meter.CreateObservableUpDownCounter(
            "broker.retained.topics", () => retained.Count, description: "Topics with a retained message.");
        _meter.CreateObservableUpDownCounter(
            "broker.retained.bytes", () => retained.Bytes, "By", "Bytes of all retained messages.");
        _meter.CreateObservableUpDownCounter(
            "broker.retained.cleared", () => retained.ClearedCount, description: "Topics that are known to have been cleared lately.");
        _meter.CreateObservableUpDownCounter(
            "broker.retained.unwritten", () => repair.Count, description: "Topics whose row the store has refused so far.");
    }

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();
}
