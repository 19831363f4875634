using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Sessions;

/// <summary>What can be seen of a session from outside.</summary>
public sealed partial class Session
{
    // Enough to understand a stuck session; a snapshot is no listing.
    private const int ShownMessages = 20;
    private const int ShownSubscriptions = 100;

    /// <summary>Messages that wait, in memory or in the store only.</summary>
    public int QueuedCount
    {
        get
        {
            lock (_gate)
            {
                return _queue.Total + _dormantCount;
            }
        }
    }

    /// <summary>The sums with this session added.</summary>
    internal SessionFigures AddTo(in SessionFigures sums)
    {
        lock (_gate)
        {
            return new SessionFigures(
                sums.Online + (Group is null && _link is not null ? 1 : 0),
                sums.Dormant + (Group is null && _link is null ? 1 : 0),
                sums.Groups + (Group is null ? 0 : 1),
                sums.Queued + _queue.Total + _dormantCount,
                sums.QueuedBytes + _queue.Bytes + _dormantBytes,
                sums.Inflight + _inflight.Count);
        }
    }

    /// <summary>A consistent picture of the session. Changes nothing.</summary>
    public SessionSnapshot Snapshot()
    {
        lock (_gate)
        {
            var inflight = new List<string>();
            for (var item = _inflight.First; item is not null && inflight.Count < ShownMessages; item = item.Next)
            {
                inflight.Add($"{item.PacketId} {item.Qos} {(item.Released ? "released" : item.Message?.Id.ToString())}");
            }

            return new SessionSnapshot
            {
                ClientId = ClientId,
                Exists = _state != SessionState.Ended,
                IsConnected = _link is not null,
                IsDurable = IsDurable,
                State = _state.ToString(),
                Epoch = Epoch,
                ExpiryInterval = ExpiryInterval,
                Queued = _queue.Total + _dormantCount,
                QueuedBytes = _queue.Bytes + _dormantBytes,
                Inflight = _inflight.Count,
                InflightMessages = inflight,
                AwaitingRelease = _inbound.Count,
                Subscriptions = [.. _subscriptions.Values.Take(ShownSubscriptions).Select(s => $"{s.Filter} QoS {(int)s.Qos}")],
            };
        }
    }
}
