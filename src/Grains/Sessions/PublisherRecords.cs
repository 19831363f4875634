using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>
/// The records of one connection of a publisher, in the order of publishing (promise 3): a later one must not be durable before
/// those that are held back, nor after the store, or another silo, has refused one. Filled by the thread that reads the connection, emptied by it
/// and by the grace timer.
/// </summary>
public sealed class PublisherRecords
{
    private static readonly StoreException RefusedElsewhere = new("Another silo has refused an earlier message of the publisher.");

    private readonly Queue<PublishRecord> _heldBack = new();
    private readonly Lock _gate = new();

    // Nothing else is locked under it: whoever completes a record may hold the lock of a session.
    private readonly Lock _refusing = new();
    private bool _isWatched;
    private long _lastTurn;
    private long _refusedAfter = long.MaxValue;
    private long _refusedUpTo;
    private Exception? _refusal;

    /// <summary>
    /// Whether the publisher ends with its first refusal and sends again what was not acknowledged, as one of 3.x does: then nothing
    /// of it is taken any more. One of MQTT 5.0 is told and goes on, and does not send the message again [MQTT-4.4.0-2]: what
    /// the broker had of it by then is refused as well, and what comes later is taken.
    /// </summary>
    public bool EndsWithRefusal { get; set; } = true;

    /// <summary>The place of a record that is made now.</summary>
    internal long NextTurn() => Interlocked.Increment(ref _lastTurn);

    /// <summary>Hands a sealed record to the store, or holds it back as long as <paramref name="grace"/> allows.</summary>
    public void Dispatch(PublishRecord record, AckGraceQueue grace)
    {
        if (!record.HasWork)
        {
            // Other silos answer for it; there is nothing to write here.
            return;
        }

        lock (_gate)
        {
            DropDone();
            if (record.IsUrgent || !grace.IsEnabled)
            {
                while (_heldBack.TryDequeue(out var earlier))
                {
                    earlier.Post();
                }

                record.Post();
                return;
            }

            record.GraceUntil = grace.EndsAt;
            _heldBack.Enqueue(record);
            if (_isWatched)
            {
                return;
            }

            _isWatched = true;
        }

        grace.Watch(this, record.GraceUntil);
    }

    /// <summary>The store has refused the record with this turn.</summary>
    internal void NoteRefusal(long turn, Exception error) => NoteRefusal(turn, error, EndsWithRefusal);

    /// <summary>
    /// Another silo has refused the record with this turn. Those behind it may wait on the way there for longer than that silo refuses, so nothing of
    /// them is sent any more. A full queue there stops only who finds out by the end of the connection: the others are not for that queue.
    /// </summary>
    /// <param name="isRepeated">Whether the connection ends, because the client has to send the message again with its packet id.</param>
    internal void NoteRefusalElsewhere(long turn, ReasonCode reason, bool isRepeated)
    {
        if (EndsWithRefusal || reason != ReasonCode.QuotaExceeded)
        {
            NoteRefusal(turn, RefusedElsewhere, EndsWithRefusal || isRepeated);
        }
    }

    private void NoteRefusal(long turn, Exception error, bool isEnd)
    {
        lock (_refusing)
        {
            if (!isEnd && turn >= _refusedAfter && turn <= _refusedUpTo)
            {
                // Refused because of an earlier one: what the publisher has sent since it was told of that is not meant.
                return;
            }

            _refusal = error;
            _refusedAfter = turn > _refusedUpTo ? turn : Math.Min(_refusedAfter, turn);
            _refusedUpTo = isEnd ? long.MaxValue : Math.Max(_refusedUpTo, Interlocked.Read(ref _lastTurn));
        }
    }

    /// <summary>What an earlier record was refused with, so that the one with this turn must not be stored; null when it may.</summary>
    internal Exception? RefusalBefore(long turn)
    {
        if (Volatile.Read(ref _refusedUpTo) < turn)
        {
            return null;
        }

        lock (_refusing)
        {
            return turn > _refusedAfter ? _refusal : null;
        }
    }

    /// <summary>
    /// Posts what has waited until <paramref name="now"/>; its subscribers are slow from here on.
    /// </summary>
    /// <returns>When to look again; null when nothing is held back, and nobody looks until something is.</returns>
    internal long? EndGrace(long now)
    {
        List<PublishRecord>? due = null;
        lock (_gate)
        {
            DropDone();
            foreach (var record in _heldBack)
            {
                if (record.GraceUntil > now)
                {
                    break;
                }

                (due ??= []).Add(record);
            }
        }

        // Outside the lock: it takes the locks of sessions. Before the post: a record that is being written says nothing.
        due?.ForEach(static record => record.NoteGraceOver());

        lock (_gate)
        {
            while (_heldBack.TryPeek(out var first) && (first.IsDone || first.GraceUntil <= now))
            {
                _heldBack.Dequeue().Post();
            }

            _isWatched = _heldBack.Count > 0;
            return _isWatched ? _heldBack.Peek().GraceUntil : null;
        }
    }

    private void DropDone()
    {
        while (_heldBack.TryPeek(out var first) && first.IsDone)
        {
            _heldBack.Dequeue();
        }
    }
}
