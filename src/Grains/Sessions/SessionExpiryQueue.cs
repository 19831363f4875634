namespace Broker.Grains.Sessions;

/// <summary>
/// When which session expires, ordered by time. A session has one entry: when its time comes and the client has been
/// back meanwhile, the session is asked for its present expiry, so that reconnecting often costs nothing here.
/// </summary>
public sealed class SessionExpiryQueue
{
    private readonly PriorityQueue<Session, long> _queue = new();
    private readonly Lock _gate = new();

    /// <summary>Notes when a session expires; one that never does, or stands here with an earlier time, needs no entry.</summary>
    public void Add(Session session)
    {
        lock (_gate)
        {
            if (session.ExpiresAt is { } due && due < session.QueuedExpiry)
            {
                session.QueuedExpiry = due;
                _queue.Enqueue(session, due);
            }
        }
    }

    /// <summary>Takes sessions that have expired at <paramref name="now"/>, so many at most.</summary>
    public List<Session> Take(long now, int limit)
    {
        var taken = new List<Session>();
        lock (_gate)
        {
            while (taken.Count < limit && _queue.TryPeek(out var session, out var due) && due <= now)
            {
                _queue.Dequeue();
                session.QueuedExpiry = session.QueuedExpiry == due ? long.MaxValue : session.QueuedExpiry;
                if (session.ExpiresAt <= now)
                {
                    taken.Add(session);
                }
                else if (session.ExpiresAt is { } later && later < session.QueuedExpiry)
                {
                    session.QueuedExpiry = later;
                    _queue.Enqueue(session, later);
                }
            }
        }

        return taken;
    }
}
