namespace Broker.Grains.Sessions;

/// <summary>
/// The records of one publisher that are held back, in the order of publishing (promise 3): a later one must not be
/// durable before them. Filled by the thread that reads the publisher's connection, emptied by it and by the grace timer.
/// </summary>
public sealed class PublisherRecords
{
    private readonly Queue<PublishRecord> _heldBack = new();
    private readonly Lock _gate = new();
    private bool _isWatched;

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
