using System.Collections.Concurrent;
using Broker.Grains.Edges;
using Broker.Grains.Interfaces.Topics;
using Broker.Protocol;

namespace Broker.Grains.Topics;

/// <summary>
/// The edges from this silo to the inboxes of the silos, one each, shared by all Topic grains here: calls are as large as
/// the traffic between two silos allows, and what can wait is bounded by silos and not by filters.
/// </summary>
public sealed class InboxEdges : IDisposable
{
    private readonly ConcurrentDictionary<SiloAddress, Edge<Parcel>> _edges = new();
    private readonly InboxClient _inboxes;
    private readonly LiveSilos _silos;
    private readonly TimeProvider _time;
    private readonly EdgeOptions _options;

    public InboxEdges(InboxClient inboxes, LiveSilos silos, TimeProvider time)
    {
        _inboxes = inboxes;
        _silos = silos;
        _time = time;
        _options = new EdgeOptions();
        silos.Changed += CloseDead;
    }

    /// <summary>Figures of all these edges.</summary>
    public EdgeMetrics Metrics { get; } = new("inbox");

    /// <summary>Items and bytes that wait for a silo.</summary>
    public (int Items, long Bytes) Depth(SiloAddress silo) =>
        _edges.TryGetValue(silo, out var edge) ? (edge.Depth, edge.Bytes) : (0, 0);

    /// <summary>
    /// Sends batches to a silo, in order, waiting for room on the edge. Completes with the silo's answer. When the silo is gone,
    /// nobody knows whether its durable sessions got the messages, and the answer is a failure of each QoS 1 and 2 publish.
    /// </summary>
    public async Task<DeliveryOutcome> DeliverAsync(SiloAddress silo, IReadOnlyList<MessageBatch> batches)
    {
        var parcel = new Parcel(batches);
        var edge = _edges.GetOrAdd(silo, Create);
        if (_silos.IsGone(silo))
        {
            // It may have died before the edge was there to be closed.
            edge.Close();
            _edges.TryRemove(silo, out _);
        }

        return await edge.PostAsync(parcel) ? await parcel.Outcome.Task : Lost(parcel);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _silos.Changed -= CloseDead;
        Metrics.Dispose();
    }

    private static DeliveryOutcome Lost(Parcel parcel) =>
        DeliveryOutcome.Failed(parcel.Count, ReasonCode.UnspecifiedError);

    private Edge<Parcel> Create(SiloAddress silo) => new(new Target(_inboxes.Of(silo), silo, _silos), _options, Metrics, _time);

    private void CloseDead()
    {
        foreach (var (silo, edge) in _edges)
        {
            if (_silos.IsGone(silo))
            {
                edge.Close();
                _edges.TryRemove(silo, out _);
            }
        }
    }

    /// <summary>What one call of a Topic grain has for a silo.</summary>
    private sealed class Parcel(IReadOnlyList<MessageBatch> batches)
    {
        public IReadOnlyList<MessageBatch> Batches => batches;

        /// <summary>Messages.</summary>
        public int Count { get; } = batches.Sum(static b => b.Count);

        /// <summary>Bytes of the messages.</summary>
        public int Bytes { get; } = batches.Sum(static b => b.Bytes.Length);

        public TaskCompletionSource<DeliveryOutcome> Outcome { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Target(ISiloInbox inbox, SiloAddress silo, LiveSilos silos) : IEdgeTarget<Parcel>
    {
        private readonly Guid _id = Guid.NewGuid();

        public bool IsGone => silos.IsGone(silo);

        public int BytesOf(Parcel item) => item.Bytes;

        public async Task SendAsync(IReadOnlyList<Parcel> items, long number)
        {
            MessageBatch[] batches = [.. items.SelectMany(static i => i.Batches)];
            var outcome = await inbox.Deliver(new EdgeBatch { Edge = _id, Number = number, Batches = batches });
            var first = 0;
            foreach (var item in items)
            {
                item.Outcome.SetResult(outcome.Slice(first, item.Count));
                first += item.Count;
            }
        }

        public void Undeliverable(IReadOnlyList<Parcel> items)
        {
            foreach (var item in items)
            {
                item.Outcome.SetResult(Lost(item));
            }
        }
    }
}
