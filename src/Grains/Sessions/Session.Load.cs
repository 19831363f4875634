using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>From dormant to ready and back.</summary>
public sealed partial class Session
{
    private Task? _loading;
    private long _loadUpTo;

    /// <summary>What the store knew of it at the start of the silo, short of its deliveries.</summary>
    internal void Restore(SessionRow row, QueueSummary queue)
    {
        lock (_gate)
        {
            Epoch = row.Epoch;
            StoreEpoch = row.Epoch;
            CreatedAt = row.CreatedAt;
            ExpiryInterval = row.ExpiryInterval;
            Version = row.Version;
            SentUpTo = row.SentUpTo;
            _dormantCount = queue.Count;
            _dormantBytes = queue.Bytes;
            _lastSequence = queue.LastSequence;
        }
    }

    /// <summary>Brings a dormant session's deliveries into memory. One load serves all who ask meanwhile.</summary>
    public Task LoadAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_state is SessionState.Ready or SessionState.Ended)
            {
                return Task.CompletedTask;
            }

            if (_state == SessionState.Dormant)
            {
                BeginLoading(_lastSequence);
            }

            if (_loading is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _loading = Task.Run(() => LoadCoreAsync(cancellationToken), cancellationToken);
            }

            return _loading;
        }
    }

    /// <summary>
    /// Lets a session that nobody is connected to become dormant again. False when it has to stay: connected, or something
    /// of it is not in the store.
    /// </summary>
    public bool TryUnload()
    {
        lock (_gate)
        {
            if (!IsDurable || _state != SessionState.Ready || _link is not null || _isLoadingBodies || _replays.Count > 0
                || _inbound.Values.Any(i => i.Record is not null)
                || _queue.All().Any(d => d.RowState != RowState.Committed))
            {
                return false;
            }

            _dormantCount = _queue.Total + _inflight.Count;
            _dormantBytes = _queue.All().Sum(d => (long)d.Size);
            foreach (var item in _queue.All().ToList())
            {
                _queue.Remove(item);
            }

            NoteWatermark();
            while (_inflight.First is { } first)
            {
                _inflight.Remove(first);
            }

            _inbound.Clear();
            _loading = null;
            _state = SessionState.Dormant;
            return true;
        }
    }

    private void BeginLoading(long upTo)
    {
        // What arrives from here on has a higher sequence and is linked into the queue as it comes.
        _loadUpTo = upTo;
        _state = SessionState.Loading;
    }

    private async Task LoadCoreAsync(CancellationToken cancellationToken)
    {
        // What was posted while dormant must be in the store before it is read.
        var barrier = new Barrier();
        _env.Store.Post(barrier);
        await barrier.Committed.WaitAsync(cancellationToken);

        var rows = await _env.Store.LoadDeliveriesAsync(Number, cancellationToken);
        var inbound = await _env.Store.LoadInboundIdsAsync(Number, cancellationToken);
        lock (_gate)
        {
            if (_state != SessionState.Loading)
            {
                return;
            }

            foreach (var packetId in inbound)
            {
                _inbound.TryAdd(packetId, new Inbound(Environment.TickCount64));
            }

            AddLoaded(rows.Where(r => r.Sequence <= _loadUpTo).ToList());
            _dormantCount = 0;
            _dormantBytes = 0;
            _state = SessionState.Ready;
            EnforceLimits();
            NoteWatermark();
        }
    }

    private void AddLoaded(List<DeliveryRow> rows)
    {
        // After a crash it is not known which were in flight. Any of the first window may have been: they are sent with
        // DUP, which is right for those and harmless for the others [MQTT-3.3.1-1].
        var mayHaveBeenSent = SentUpTo is null ? _env.Options.MaxInflight : 0;
        for (var i = rows.Count - 1; i >= 0; i--)
        {
            var delivery = FromRow(rows[i]);
            if (delivery.Released)
            {
                _inflight.Prepend(delivery);
            }
            else if (i < mayHaveBeenSent || delivery.Sequence <= SentUpTo)
            {
                _queue.Requeue(delivery);
            }
            else
            {
                _queue.EnqueueOlder(delivery);
            }
        }

        SentUpTo ??= rows.Count == 0 ? 0 : rows[Math.Min(mayHaveBeenSent, rows.Count) - 1].Sequence;
    }

    private Delivery FromRow(in DeliveryRow row)
    {
        var delivery = new Delivery
        {
            Session = this,
            Sequence = row.Sequence,
            Qos = row.Qos,
            Retain = row.Retain,
            Size = row.Size,
            ExpiresAt = row.ExpiresAt,
            SubscriptionIdentifiers = row.SubscriptionIdentifiers,
            MessageNumber = row.Message,
            Released = row.Released,
            MayRelease = row.Released,
        };
        delivery.SetRowState(RowState.Committed);
        return delivery;
    }

    private sealed class Barrier : AwaitableWrite
    {
        public override void AddTo(IStoreBatch batch)
        {
        }
    }
}
