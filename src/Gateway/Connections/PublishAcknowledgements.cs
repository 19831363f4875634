using Broker.Grains.Cluster;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>
/// PUBACK and PUBREC of one connection, sent in the order of the PUBLISH packets they answer [MQTT-4.6.0-2],
/// [MQTT-4.6.0-3], each when what it promises is durable (promise 1). Where nothing durable is involved it is sent at once.
/// </summary>
/// <param name="send">Writes an acknowledgement; called in order.</param>
/// <param name="time">When the silo may acknowledge; null: always.</param>
internal sealed class PublishAcknowledgements(Action<PacketType, ushort, ReasonCode> send, SiloTime? time = null)
{
    private readonly Queue<Entry> _waiting = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource? _below;
    private int _limit;
    private bool _isOutOfTime;

    /// <summary>Publishes that are not acknowledged yet.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Acknowledges a publish that waits for nothing but its turn.</summary>
    public void Add(PacketType type, ushort packetId, ReasonCode reason)
    {
        lock (_gate)
        {
            if (_waiting.Count > 0 || !MayAcknowledge(reason))
            {
                _waiting.Enqueue(new Entry(this, type, packetId, reason) { IsDone = true });
                return;
            }

            send(type, packetId, reason);
        }
    }

    /// <summary>A publish that waits; the result is to be told.</summary>
    /// <param name="reason">Reason Code when all goes well.</param>
    public IPublishWaiter AddWaiting(PacketType type, ushort packetId, ReasonCode reason)
    {
        var entry = new Entry(this, type, packetId, reason);
        lock (_gate)
        {
            _waiting.Enqueue(entry);
        }

        return entry;
    }

    /// <summary>Completes when fewer than <paramref name="limit"/> wait: how a fast publisher is slowed to what commits.</summary>
    public Task WaitBelowAsync(int limit)
    {
        lock (_gate)
        {
            if (_waiting.Count < limit)
            {
                return Task.CompletedTask;
            }

            _limit = limit;
            _below = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _below.Task;
        }
    }

    /// <summary>The connection has ended: nothing is sent any more, nobody waits.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            _waiting.Clear();
            _below?.TrySetResult();
        }
    }

    private void Completed(Entry entry, ReasonCode reason)
    {
        TaskCompletionSource? below = null;
        lock (_gate)
        {
            entry.IsDone = true;
            if (reason is not (ReasonCode.Success or InternalOutcome.Elsewhere))
            {
                entry.Reason = reason;
            }

            below = SendDone();
        }

        below?.TrySetResult();
    }

    private TaskCompletionSource? SendDone()
    {
        while (_waiting.TryPeek(out var first) && first.IsDone && MayAcknowledge(first.Reason))
        {
            _waiting.Dequeue();
            send(first.Type, first.PacketId, first.Reason);
        }

        var below = _waiting.Count < _limit ? _below : null;
        _below = below is null ? _below : null;
        return below;
    }

    /// <summary>A refusal is always true; a success only as long as the silo is in its time. Then it waits for the next.</summary>
    private bool MayAcknowledge(ReasonCode reason)
    {
        if (time is null || time.IsValid || reason >= ReasonCode.UnspecifiedError)
        {
            return true;
        }

        if (!_isOutOfTime)
        {
            _isOutOfTime = true;
            _ = SendWhenValidAsync(time);
        }

        return false;
    }

    private async Task SendWhenValidAsync(SiloTime silo)
    {
        await silo.ValidAsync();
        TaskCompletionSource? below;
        lock (_gate)
        {
            _isOutOfTime = false;
            below = SendDone();
        }

        below?.TrySetResult();
    }

    private sealed class Entry(PublishAcknowledgements owner, PacketType type, ushort packetId, ReasonCode reason) : IPublishWaiter
    {
        public PacketType Type => type;

        public ushort PacketId => packetId;

        public ReasonCode Reason { get; set; } = reason;

        public bool IsDone { get; set; }

        public void Published(ReasonCode outcome) => owner.Completed(this, outcome);
    }
}
