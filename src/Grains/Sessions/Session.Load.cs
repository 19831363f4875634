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

            // Rows may be gone that the client has had: their packet ids are not given to others out of turn.
            _lastSequence = Math.Max(queue.LastSequence, row.SentUpTo ?? 0);
            TakeOverWatermark();
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

    /// <summary>As <see cref="LoadAsync"/> for somebody who does not wait; a failure is tried again with the next message.</summary>
    internal async Task WakeAsync()
    {
        try
        {
            await LoadAsync(CancellationToken.None);
        }
        catch (Exception error)
        {
            _env.Log.NotLoaded(ClientId, error);
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
            if (!IsDurable || _state != SessionState.Ready || _link is not null || _isLoadingBodies || _unnamed is not null || _replays.Count > 0
                || _heldBack > 0
                || _inbound.Values.Any(static i => i.IsOpen)
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
        // What was delivered while dormant must be in the store before it is read. A publisher that is still fanning out
        // has not posted its message yet, so one barrier may be too early; none is added while loading.
        do
        {
            await _env.Store.FlushAsync().WaitAsync(cancellationToken);
        }
        while (Volatile.Read(ref _dormantOpen) > 0);

        var rows = await _env.Store.LoadDeliveriesAsync(Number, cancellationToken);
        var priorities = await LoadPrioritiesAsync(rows, cancellationToken);
        var inbound = await _env.Store.LoadInboundIdsAsync(Number, cancellationToken);
        lock (_gate)
        {
            if (_state != SessionState.Loading)
            {
                return;
            }

            foreach (var row in inbound)
            {
                _inbound.TryAdd(row.PacketId, new Inbound(Environment.TickCount64) { InDoubt = row.InDoubt });
            }

            AddLoaded(rows.Where(r => r.Sequence <= _loadUpTo).ToList(), priorities);
            _dormantCount = 0;
            _dormantBytes = 0;
            _state = SessionState.Ready;
            EnforceLimits();
            NoteWatermark();
        }
    }

    /// <summary>Priorities go by topic, which only the bodies have; null when there are none.</summary>
    private async Task<Dictionary<long, int>?> LoadPrioritiesAsync(List<DeliveryRow> rows, CancellationToken cancellationToken)
    {
        if (_env.Priorities.IsEmpty)
        {
            return null;
        }

        var priorities = new Dictionary<long, int>();
        foreach (var page in rows.Select(static r => r.Message).Distinct().Chunk(BodiesPerLoad))
        {
            foreach (var (number, message) in await _env.Store.LoadMessagesAsync(page, cancellationToken))
            {
                priorities[number] = _env.Priorities.Of(message.Topic);
            }
        }

        return priorities;
    }

    private void AddLoaded(List<DeliveryRow> rows, Dictionary<long, int>? priorities)
    {
        SentUpTo ??= MaySentUpTo(rows);
        for (var i = rows.Count - 1; i >= 0; i--)
        {
            var delivery = FromRow(rows[i], priorities?.GetValueOrDefault(rows[i].Message) ?? 0);
            if (delivery.Released && Group is not null)
            {
                // Done with: its row has stayed for the sake of a publisher that might have repeated it.
                LetGo(delivery);
            }
            else if (delivery.Released)
            {
                _inflight.Prepend(delivery);
            }
            else if (delivery.Sequence <= SentUpTo)
            {
                _queue.Requeue(delivery);
            }
            else
            {
                _queue.EnqueueOlder(delivery);
            }
        }
    }

    /// <summary>
    /// After a crash it is not known which were in flight. Any of the first window may have been: they are sent with DUP,
    /// which is right for those and harmless for the others [MQTT-3.3.1-1]. What awaits PUBCOMP is beyond that question.
    /// </summary>
    private long MaySentUpTo(List<DeliveryRow> rows) =>
        rows.Where(static r => !r.Released).Take(_env.Options.MaxInflight).LastOrDefault().Sequence;

    private Delivery FromRow(in DeliveryRow row, int priority)
    {
        var delivery = new Delivery
        {
            Session = this,
            Sequence = row.Sequence,
            Qos = row.Qos,
            Retain = row.Retain,
            Priority = priority,
            Size = row.Size,
            ExpiresAt = row.ExpiresAt,
            SubscriptionIdentifiers = row.SubscriptionIdentifiers,
            MessageNumber = row.Message,
            InDoubt = row.InDoubt,
            Released = row.Released,
            MayRelease = row.Released,
        };
        delivery.SetRowState(RowState.Committed);
        return delivery;
    }
}
