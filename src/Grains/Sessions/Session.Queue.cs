using System.Globalization;
using Broker.Grains.Alarms;
using Broker.Grains.Diagnostics;
using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Messages;
using Broker.Grains.Shared;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>Limits of the queue, what is dropped, and bodies that only the store holds.</summary>
public sealed partial class Session
{
    // Bodies of committed messages beyond this many bytes a session wait in the store and not in memory.
    private const int ResidentBodyBytes = 64 * 1024;

    // Bodies fetched at a time: a window's worth by default.
    private const int BodiesPerLoad = 100;

    private bool _isLoadingBodies;
    private bool _isQueueHigh;

    private void Enqueue(Delivery delivery)
    {
        // A dormant session stays so for what the store takes. QoS 0 is kept in memory, and a full queue has to choose.
        var fitsStore = delivery.Qos != QualityOfService.AtMostOnce && !IsFullWith(delivery.Size);
        if (_state == SessionState.Dormant && fitsStore)
        {
            _dormantCount++;
            _dormantBytes += delivery.Size;
            _dormantOpen++;
            delivery.IsDormant = true;
            delivery.Message = null;
            NoteWatermark();
            return;
        }

        if (_state == SessionState.Dormant)
        {
            BeginLoading(delivery.Sequence == 0 ? _lastSequence : delivery.Sequence - 1);
            _env.Wake(this);
        }
        else if (_state == SessionState.Loading && _loading is { IsFaulted: true })
        {
            // The store refused while it was woken; without another attempt its limits would not be looked at again.
            _env.Wake(this);
        }

        _queue.Enqueue(delivery);
        EnforceLimits();
        NoteWatermark();
    }

    /// <summary>High above one share of MaxQueued, normal again below another.</summary>
    private void NoteWatermark()
    {
        var limit = _env.Options.MaxQueued * Shares;
        var count = _queue.Count + _dormantCount;
        if (!_isQueueHigh && limit > 0 && count > limit * _env.Options.HighWatermark)
        {
            _isQueueHigh = true;
            _env.Metrics.QueueRose();
            _env.Alarms?.Raise(
                QueueAlarm,
                AlarmSeverity.Warning,
                "Session queue high",
                string.Create(CultureInfo.InvariantCulture, $"{count} of {limit} messages wait for client '{ClientId}'"));
        }
        else if (_isQueueHigh && (limit == 0 || count < limit * _env.Options.LowWatermark))
        {
            _isQueueHigh = false;
            _env.Metrics.QueueFell();
            _env.Alarms?.Clear(QueueAlarm);
        }
    }

    private string QueueAlarm => AlarmIds.QueueHigh + ClientId;

    /// <summary>
    /// Whether the alarm of its queue, which is raised, is right: cleared if it is not. A session without rows knows nothing of what an earlier
    /// one of its name has raised before a crash.
    /// </summary>
    internal bool ReviewAlarm()
    {
        lock (_gate)
        {
            if (_state is SessionState.Ready or SessionState.Dormant)
            {
                TakeOverWatermark();
            }

            return _isQueueHigh;
        }
    }

    /// <summary>An alarm that was raised in an earlier life, or on another silo, is this session's to clear.</summary>
    private void TakeOverWatermark()
    {
        if (!_isQueueHigh && _env.Alarms?.IsRaised(QueueAlarm) == true)
        {
            _isQueueHigh = true;
            _env.Metrics.QueueRose();
        }

        NoteWatermark();
    }

    private bool IsFullWith(int size)
    {
        var count = _queue.Count + _dormantCount;
        var bytes = _queue.Bytes + _dormantBytes;
        return (_env.Options.MaxQueued > 0 && count >= _env.Options.MaxQueued * Shares)
            || (_env.Options.MaxQueuedBytes > 0 && bytes + size > _env.Options.MaxQueuedBytes * Shares && count > 0);
    }

    private bool IsOverLimit() =>
        (_env.Options.MaxQueued > 0 && _queue.Count > _env.Options.MaxQueued * Shares)
        || (_env.Options.MaxQueuedBytes > 0 && _queue.Bytes > _env.Options.MaxQueuedBytes * Shares && _queue.Count > 1);

    private bool RefusesNewest => _env.Options.QueueFullPolicy == Options.QueueFullPolicy.RefuseNewest;

    /// <summary>
    /// Whether a message that has just come is given up. While only the store has what waits, nobody knows what of it has expired: the
    /// message stays until that is loaded, and the newest go then.
    /// </summary>
    private bool MustRefuse(int size) => RefusesNewest && _state == SessionState.Ready && IsFullWith(size);

    /// <summary>What has expired goes before the message that has just come is refused; what it held up is sent first.</summary>
    private void MakeRoom(in PublishSource source)
    {
        if (MustRefuse(source.Size) && DropExpired())
        {
            Pump();
        }
    }

    /// <summary>False when there was nothing.</summary>
    private bool DropExpired()
    {
        var expired = _queue.Expired(_env.Now);
        expired.ForEach(delivery => Drop(delivery, DropReason.Expired));
        return expired.Count > 0;
    }

    /// <summary>
    /// Drops what is too much, expired messages first. Also while loading: what is older is not here yet to be chosen from, and the end of the
    /// load comes back to it, but what is too much even without that would go then as well.
    /// </summary>
    private void EnforceLimits()
    {
        if (!IsOverLimit())
        {
            return;
        }

        DropExpired();
        while (IsOverLimit() && (RefusesNewest ? _queue.Newest() : _queue.Victim()) is { } victim)
        {
            if (victim.Loan is null)
            {
                Drop(victim, DropReason.QueueFull);
            }
            else
            {
                // It is not lost: its group has it.
                _queue.Remove(victim);
                EndLoan(victim, LoanOutcome.Returned);
            }
        }

        Pump();
    }

    /// <summary>Lets go of a delivery that is in no list any more: its row goes, whoever waits for it does not any longer.</summary>
    private void Forget(Delivery delivery)
    {
        DeleteRow(delivery);
        Release(delivery);
        EndLoan(delivery, LoanOutcome.Acknowledged);
    }

    private static void Release(Delivery delivery, ReasonCode outcome = ReasonCode.Success)
    {
        var record = delivery.Record;
        delivery.Record = null;
        record?.Answered(outcome);
    }

    private void ForgetAll(ReasonCode outcome)
    {
        // What is in the store goes along with a session that has another silo now; QoS 0 is only here.
        LoseAll();

        // The session's rows go with its own row; only those that wait have to be told.
        foreach (var item in _queue.All().ToList())
        {
            _queue.Remove(item);
            Release(item, outcome);
        }

        _dormantCount = 0;
        _dormantBytes = 0;
        if (outcome != InternalOutcome.Elsewhere)
        {
            NoteWatermark();
        }
        else if (_isQueueHigh)
        {
            // The alarm goes along with the session.
            _isQueueHigh = false;
            _env.Metrics.QueueFell();
        }

        while (_inflight.First is { } first)
        {
            _inflight.Remove(first);
            Release(first, outcome);
        }
    }

    /// <summary>The commit that a delivery was part of has ended. Called by the store's writer.</summary>
    internal void StorageCompleted(Delivery delivery, bool isCommitted)
    {
        lock (_gate)
        {
            if (delivery.RowState == RowState.Taken)
            {
                delivery.SetRowState(isCommitted ? RowState.Committed : RowState.None);
            }

            if (delivery.IsDormant)
            {
                DormantStorageCompleted(delivery, isCommitted);
            }
            else if (_queue.Contains(delivery))
            {
                QueuedStorageCompleted(delivery, isCommitted);
            }

            Release(delivery);
        }
    }

    private void DormantStorageCompleted(Delivery delivery, bool isCommitted)
    {
        _dormantOpen--;
        if (!isCommitted && _state == SessionState.Dormant)
        {
            _dormantCount--;
            _dormantBytes -= delivery.Size;
        }
    }

    private void QueuedStorageCompleted(Delivery delivery, bool isCommitted)
    {
        if (!isCommitted && !delivery.WasSent)
        {
            // Its publisher is told that it failed and may send it again.
            Drop(delivery, DropReason.StoreFailed);

            // It may have been the head that a committed QoS 2 message behind it waited for.
            Pump();
            return;
        }

        if (isCommitted && delivery.Message is not null && _queue.ResidentBytes > ResidentBodyBytes)
        {
            _queue.ReleaseBody(delivery);
        }

        if (_link is not null && _queue.First == delivery)
        {
            Pump();
        }
    }

    private void LoadBodies()
    {
        if (_isLoadingBodies)
        {
            return;
        }

        _isLoadingBodies = true;
        _ = LoadBodiesAsync(_queue.WithoutBody(BodiesPerLoad));
    }

    private async Task LoadBodiesAsync(List<Delivery> missing)
    {
        Dictionary<long, ApplicationMessage>? bodies = null;
        try
        {
            bodies = await _env.Store.LoadMessagesAsync(missing.ConvertAll(d => d.MessageNumber), CancellationToken.None);
        }
        catch (Exception error)
        {
            // The store is unreachable: the messages stay where they are and the client is asked to come back for them.
            _env.Log.BodiesNotLoaded(ClientId, error);
        }

        IClientLink? link = null;
        lock (_gate)
        {
            _isLoadingBodies = false;
            if (bodies is null)
            {
                link = _link;
            }
            else
            {
                RestoreBodies(missing, bodies);
                Pump();
            }
        }

        link?.Close(ReasonCode.ServerBusy);
    }

    private void RestoreBodies(List<Delivery> missing, Dictionary<long, ApplicationMessage> bodies)
    {
        foreach (var delivery in missing)
        {
            if (!_queue.Contains(delivery) || delivery.Message is not null)
            {
                continue;
            }

            if (bodies.TryGetValue(delivery.MessageNumber, out var message))
            {
                _queue.RestoreBody(delivery, message);
            }
            else
            {
                _env.Log.BodyMissing(ClientId, delivery.MessageNumber);
                Drop(delivery, DropReason.StoreFailed);
            }
        }
    }
}
