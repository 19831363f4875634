using System.Diagnostics.Metrics;

namespace Broker.Grains.Shared;

/// <summary>Numbers of the groups whose sessions are on this silo.</summary>
public sealed class SharedMetrics : IDisposable
{
    private readonly Meter _meter = new("Broker.Grains.Shared");
    private long _returned;

    public SharedMetrics() => _meter.CreateObservableCounter(
        "broker.shared.returned", () => Volatile.Read(ref _returned), description: "Messages that members gave back without an acknowledgement.");

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    internal void Returned() => Interlocked.Increment(ref _returned);

    internal void Observe(SharedGroups groups)
    {
        _meter.CreateObservableUpDownCounter(
            "broker.shared.groups", () => groups.All.Count, description: "Groups of shared subscriptions.");
        _meter.CreateObservableUpDownCounter(
            "broker.shared.waiting",
            () => groups.All.Sum(static g => (long)g.Session.QueuedCount),
            description: "Messages that wait for a member with room.");
    }
}
