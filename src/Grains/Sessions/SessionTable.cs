using System.Collections.Concurrent;

namespace Broker.Grains.Sessions;

/// <summary>The sessions of this silo by Client Identifier [MQTT-3.1.3-2]: connected ones, and durable ones whose client is away.</summary>
public sealed class SessionTable
{
    private readonly SessionEnvironment _environment;
    private readonly ConcurrentDictionary<string, Session> _byClient = new(StringComparer.Ordinal);
    private readonly Stack<int> _freeSlots = new();
    private readonly Lock _slots = new();
    private int _slotCount;

    public SessionTable(SessionEnvironment environment)
    {
        _environment = environment;
        environment.Metrics.Observe(this);
        environment.Shared.Open(this, environment);

        // Elsewhere: the store's writer reports it, and must not wait for locks of sessions.
        environment.Fenced = session => ThreadPool.UnsafeQueueUserWorkItem(Discard, session, preferLocal: false);
    }

    /// <summary>Number of sessions.</summary>
    public int Count => _byClient.Count;

    /// <summary>Highest slot in use plus one, or more.</summary>
    public int SlotCount => Volatile.Read(ref _slotCount);

    public IEnumerable<Session> All => _byClient.Select(static entry => entry.Value);

    /// <summary>Sums over all of them, each as it was at some moment of the walk.</summary>
    public SessionFigures Figures() => All.Aggregate(default(SessionFigures), static (sums, session) => session.AddTo(sums));

    public Session? Find(string clientId) => _byClient.GetValueOrDefault(clientId);

    /// <summary>
    /// Adds a session that ends with its connection, if the client id has none: the whole of a CONNECT that asks for
    /// nothing durable and finds nothing to take over. Null when there is one; its grain decides then.
    /// </summary>
    public Session? TryAddEphemeral(string clientId)
    {
        if (_byClient.ContainsKey(clientId))
        {
            return null;
        }

        return TryAdd(clientId, 0, epoch: 1);
    }

    /// <summary>Adds a session if the client id has none; null when it has.</summary>
    /// <param name="number">Number of its row; 0 when it is not durable.</param>
    public Session? TryAdd(string clientId, long number, long epoch)
    {
        var session = Create(clientId, number, SessionState.Ready);
        session.Epoch = epoch;
        if (_byClient.TryAdd(clientId, session))
        {
            return session;
        }

        FreeSlot(session.Slot);
        return null;
    }

    /// <summary>Adds a session at the start of the silo, before there are connections.</summary>
    /// <param name="number">Number of its row; 0 when it is not durable.</param>
    public Session Restore(string clientId, long number, SessionState state)
    {
        var session = Create(clientId, number, state);
        _byClient[clientId] = session;
        return session;
    }

    /// <summary>Removes a session that has ended, unless another has taken its place.</summary>
    public void Remove(Session session) => _byClient.TryRemove(new KeyValuePair<string, Session>(session.ClientId, session));

    /// <summary>Ends a session. Its slot is given back once, whoever else ends it or lets go of it at the same time.</summary>
    /// <param name="mayBeStored">See <see cref="Session.End"/>.</param>
    public void End(Session session, bool mayBeStored = true)
    {
        if (session.End(mayBeStored))
        {
            Remove(session);
            FreeSlot(session.Slot);
        }
    }

    /// <summary>Lets go of a session that another silo has.</summary>
    public void Discard(Session session)
    {
        // Several of its writes may find out at the same time; its slot is given back once.
        if (session.Abandon())
        {
            Remove(session);
            FreeSlot(session.Slot);
        }
    }

    /// <summary>Gives the slot of an ended session to the next one.</summary>
    private void FreeSlot(int slot)
    {
        lock (_slots)
        {
            _freeSlots.Push(slot);
        }
    }

    private Session Create(string clientId, long number, SessionState state)
    {
        int slot;
        lock (_slots)
        {
            if (!_freeSlots.TryPop(out slot))
            {
                slot = _slotCount++;
            }
        }

        return new Session(_environment, clientId, number, slot, state);
    }
}
