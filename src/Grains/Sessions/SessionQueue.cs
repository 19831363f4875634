using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>
/// Messages that wait for a session's client: first what was sent before and must be sent again, then by topic priority
/// and arrival. Knows what to drop when it is full; dropping itself is the session's business. Guarded by the session's lock.
/// </summary>
internal sealed class SessionQueue
{
    private readonly DeliveryList _resend = new();

    // Highest priority first; without configured priorities there is one.
    private readonly List<Level> _levels = [];

    // QoS 0 deliveries in arrival order; those that have left the queue since are skipped when met.
    private readonly Queue<Delivery> _qos0 = new();
    private int _qos0Count;
    private long _earliestExpiry = long.MaxValue;

    /// <summary>Messages that count against the limit: all but those sent before.</summary>
    public int Count { get; private set; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes of the bodies that are held in memory.</summary>
    public long ResidentBytes { get; private set; }

    public bool IsEmpty => Count == 0 && _resend.Count == 0;

    /// <summary>Whether QoS 0 messages wait, so that a new one must not overtake them.</summary>
    public bool HasQos0 => _qos0Count > 0;

    /// <summary>Everything that waits, those sent before included.</summary>
    public int Total => Count + _resend.Count;

    /// <summary>The next to be sent.</summary>
    public Delivery? First
    {
        get
        {
            if (_resend.First is not null)
            {
                return _resend.First;
            }

            foreach (var level in _levels)
            {
                if (level.Items.First is not null)
                {
                    return level.Items.First;
                }
            }

            return null;
        }
    }

    public void Enqueue(Delivery item)
    {
        LevelOf(item.Priority).Append(item);
        Added(item);
    }

    /// <summary>Puts an older one before those of its priority: it was loaded from the store while newer ones arrived.</summary>
    public void EnqueueOlder(Delivery item)
    {
        LevelOf(item.Priority).Prepend(item);
        Added(item);
    }

    /// <summary>Puts one that was sent before at the head of everything.</summary>
    public void Requeue(Delivery item)
    {
        item.WasSent = true;
        _resend.Prepend(item);
        AddResident(item, 1);
    }

    public bool Contains(Delivery item) => item.List is not null && (item.List == _resend || IsLevel(item.List));

    public void Remove(Delivery item)
    {
        if (item.List != _resend)
        {
            Count--;
            Bytes -= item.Size;
            if (item.Qos == QualityOfService.AtMostOnce)
            {
                _qos0Count--;
            }
        }

        item.List!.Remove(item);
        AddResident(item, -1);
    }

    /// <summary>Lets go of a body that the store has.</summary>
    public void ReleaseBody(Delivery item)
    {
        AddResident(item, -1);
        item.Message = null;
    }

    /// <summary>Gives a body back that was let go.</summary>
    public void RestoreBody(Delivery item, Messages.ApplicationMessage message)
    {
        item.Message = message;
        AddResident(item, 1);
    }

    /// <summary>What to drop first when there is no room: the oldest of QoS 0, else the oldest of the lowest priority.</summary>
    public Delivery? Victim()
    {
        while (_qos0Count > 0 && _qos0.TryPeek(out var oldest))
        {
            if (Contains(oldest))
            {
                return oldest;
            }

            _qos0.Dequeue();
        }

        for (var i = _levels.Count - 1; i >= 0; i--)
        {
            if (_levels[i].Items.First is { } first)
            {
                return first;
            }
        }

        return null;
    }

    /// <summary>
    /// What to drop first when what has come last has to go, whatever its priority. QoS 0 has no sequence, and counts as the latest: it is
    /// in memory only, and what was loaded is older.
    /// </summary>
    public Delivery? Newest()
    {
        Delivery? newest = null;
        foreach (var level in _levels)
        {
            if (level.Items.Last is { } last && (newest is null || Order(last) > Order(newest)))
            {
                newest = last;
            }
        }

        return newest;

        static long Order(Delivery item) => item.Sequence == 0 ? long.MaxValue : item.Sequence;
    }

    /// <summary>Those that have expired at <paramref name="now"/>. Looks only when one can have.</summary>
    public List<Delivery> Expired(long now)
    {
        var expired = new List<Delivery>();
        if (now < _earliestExpiry)
        {
            return expired;
        }

        _earliestExpiry = long.MaxValue;
        foreach (var level in _levels)
        {
            for (var item = level.Items.First; item is not null; item = item.Next)
            {
                if (item.ExpiresAt <= now)
                {
                    expired.Add(item);
                }
                else
                {
                    _earliestExpiry = Math.Min(_earliestExpiry, item.ExpiresAt);
                }
            }
        }

        return expired;
    }

    /// <summary>The first ones, up to <paramref name="limit"/>, whose bodies are in the store only.</summary>
    public List<Delivery> WithoutBody(int limit)
    {
        var found = new List<Delivery>();
        foreach (var item in All())
        {
            if (item.Message is null)
            {
                found.Add(item);
                if (found.Count == limit)
                {
                    break;
                }
            }
        }

        return found;
    }

    /// <summary>Everything that waits, in the order in which it would be sent.</summary>
    public IEnumerable<Delivery> All()
    {
        for (var item = _resend.First; item is not null; item = item.Next)
        {
            yield return item;
        }

        foreach (var level in _levels)
        {
            for (var item = level.Items.First; item is not null; item = item.Next)
            {
                yield return item;
            }
        }
    }

    private void Added(Delivery item)
    {
        Count++;
        Bytes += item.Size;
        _earliestExpiry = Math.Min(_earliestExpiry, item.ExpiresAt);
        AddResident(item, 1);
        if (item.Qos == QualityOfService.AtMostOnce)
        {
            _qos0Count++;
            _qos0.Enqueue(item);
            if (_qos0.Count > (2 * _qos0Count) + 16)
            {
                DiscardStale();
            }
        }
    }

    private void DiscardStale()
    {
        for (var i = _qos0.Count; i > 0; i--)
        {
            var item = _qos0.Dequeue();
            if (Contains(item))
            {
                _qos0.Enqueue(item);
            }
        }
    }

    private void AddResident(Delivery item, int sign)
    {
        if (item.Message is not null)
        {
            ResidentBytes += sign * item.Size;
        }
    }

    private bool IsLevel(DeliveryList list)
    {
        foreach (var level in _levels)
        {
            if (level.Items == list)
            {
                return true;
            }
        }

        return false;
    }

    private DeliveryList LevelOf(int priority)
    {
        var at = 0;
        for (; at < _levels.Count && _levels[at].Priority >= priority; at++)
        {
            if (_levels[at].Priority == priority)
            {
                return _levels[at].Items;
            }
        }

        var items = new DeliveryList();
        _levels.Insert(at, new Level(priority, items));
        return items;
    }

    private readonly record struct Level(int Priority, DeliveryList Items);
}
