using System.Collections.Concurrent;
using Broker.Grains.Edges;
using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Grains.Topics;

/// <summary>
/// The edges from this silo to Topic grains, one for each filter that messages go out for. An edge that is idle is
/// dropped when there are too many; the next message makes a new one.
/// </summary>
/// <param name="grains">Finds the Topic grains.</param>
public sealed class TopicEdges(IGrainFactory grains, LiveSilos silos, TimeProvider time) : IDisposable
{
    /// <summary>Edges beyond which idle ones are dropped: 10 MB of them, about.</summary>
    public const int MaxIdle = 10_000;

    private readonly ConcurrentDictionary<string, Edge<Outgoing>> _edges = new(StringComparer.Ordinal);

    // A filter's share of memory; the inbox edges behind it have bounds of their own.
    private readonly EdgeOptions _options = new() { MaxItems = 4_000, MaxBytes = 4 << 20 };

    private volatile bool _isDisposed;

    /// <summary>Figures of all these edges.</summary>
    public EdgeMetrics Metrics { get; } = new("topic");

    /// <summary>
    /// Hands a message over to the Topic grain of a filter. Called in publish order, and when it says Full again after
    /// <see cref="WaitForRoomAsync"/>: that is how a publisher is slowed.
    /// </summary>
    /// <param name="message">Its filters are not looked at: it goes out for this one.</param>
    /// <param name="waiter">Told when every interested silo has answered; null when nobody waits.</param>
    public PostResult Post(string filter, RoutedMessage message, IPublishWaiter? waiter)
    {
        while (!_isDisposed)
        {
            var result = EdgeOf(filter).Post(new Outgoing(message with { Filters = OnlyFilter }, waiter));
            if (result != PostResult.Gone)
            {
                return result;
            }

            // It was idle and has just been dropped.
        }

        return PostResult.Gone;
    }

    /// <summary>Completes when the filter's edge has room.</summary>
    public ValueTask<bool> WaitForRoomAsync(string filter, CancellationToken cancellationToken) =>
        EdgeOf(filter).WaitForRoomAsync(cancellationToken);

    /// <inheritdoc />
    public void Dispose()
    {
        _isDisposed = true;
        foreach (var edge in _edges.Values)
        {
            edge.Close();
        }

        Metrics.Dispose();
    }

    private static ReadOnlyMemory<int> OnlyFilter { get; } = new int[1];

    private Edge<Outgoing> EdgeOf(string filter)
    {
        if (_edges.TryGetValue(filter, out var edge))
        {
            return edge;
        }

        if (_edges.Count >= MaxIdle)
        {
            DropIdle();
        }

        return _edges.GetOrAdd(filter, Create);
    }

    private Edge<Outgoing> Create(string filter) =>
        new(new Target(this, grains.GetGrain<ITopicGrain>(GrainKeys.Topic(filter)), filter, silos.Local), _options, Metrics, time);

    private void DropIdle()
    {
        foreach (var (filter, edge) in _edges)
        {
            // Who posts to it now is told that it is gone and finds a new one; nothing is in flight on the old one.
            if (edge.CloseIfIdle())
            {
                _edges.TryRemove(new KeyValuePair<string, Edge<Outgoing>>(filter, edge));
            }
        }
    }

    private readonly record struct Outgoing(RoutedMessage Message, IPublishWaiter? Waiter);

    private sealed class Target(TopicEdges owner, ITopicGrain grain, string filter, SiloAddress origin) : IEdgeTarget<Outgoing>
    {
        private readonly Guid _id = Guid.NewGuid();
        private readonly string[] _filters = [filter];
        private MessageBatch? _encoded;
        private long _encodedNumber;

        // A grain is never gone: it comes back on another silo. Only this silo's own end stops the attempts.
        public bool IsGone => owner._isDisposed;

        public int BytesOf(Outgoing item) => item.Message.Size;

        public async Task SendAsync(IReadOnlyList<Outgoing> items, long number)
        {
            if (_encodedNumber != number)
            {
                _encoded = MessageBatchCodec.Encode([.. items.Select(static i => i.Message)], _filters, origin);
                _encodedNumber = number;
            }

            var outcome = await grain.Publish(new EdgeBatch { Edge = _id, Number = number, Batches = [_encoded!] });
            _encoded = null;
            for (var i = 0; i < items.Count; i++)
            {
                items[i].Waiter?.Published(outcome.ReasonOf(i));
            }
        }

        public void Undeliverable(IReadOnlyList<Outgoing> items)
        {
            foreach (var item in items)
            {
                item.Waiter?.Published(ReasonCode.UnspecifiedError);
            }
        }
    }
}
