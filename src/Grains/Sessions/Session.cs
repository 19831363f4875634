using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>
/// The state of one MQTT session and its rules (MQTT section 4.1): subscriptions, queue, in-flight window, packet ids,
/// QoS 2 phases. A plain synchronous object behind one short lock that is never held across an await; its connection,
/// publishers on the same silo and its grain enter it directly.
/// <para>
/// A durable session that nobody uses is <em>dormant</em>: its deliveries are rows in the store and only counters stand
/// here. It is loaded when its client connects or when a full queue forces a decision about what to drop:
/// </para>
/// <code>
/// Dormant ──BeginLoad──▶ Loading ──FinishLoad──▶ Ready ◀──Attach/Detach──▶ (a link or none)
///    ▲                                             │
///    └──────────────── TryUnload ──────────────────┘        any ──End──▶ Ended
/// </code>
/// <para>Lock order: session, then link. Never two sessions.</para>
/// </summary>
public sealed partial class Session
{
    private readonly SessionEnvironment _env;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Subscription> _subscriptions = new(StringComparer.Ordinal);
    private IClientLink? _link;
    private SessionState _state;
    private int _window;

    /// <param name="number">Store's number of a durable session, 0 for one that ends with its connection.</param>
    /// <param name="slot">Small number that no other live session of this silo has.</param>
    public Session(SessionEnvironment env, string clientId, long number, int slot, SessionState state)
    {
        _env = env;
        _state = state;
        ClientId = clientId;
        Number = number;
        Slot = slot;
        CreatedAt = env.Now;
    }

    public string ClientId { get; }

    /// <summary>Number of the session's row; 0 when it is not durable.</summary>
    public long Number { get; }

    /// <summary>Index into per-thread tables of the router.</summary>
    public int Slot { get; }

    /// <summary>Number under which a session that is not durable has claimed exclusive subscriptions in a cluster; null when it has not.</summary>
    internal long? ExclusiveHolder { get; set; }

    /// <summary>Whether it outlives its connection, so that promises 1 to 3 hold for it across failures.</summary>
    public bool IsDurable => Number != 0;

    /// <summary>Raised by every CONNECT; every store write checks it, and a link with an older one is not listened to.</summary>
    public long Epoch { get; internal set; }

    /// <summary>
    /// Epoch of the session's row as far as the store's writer has come: what writes are checked against. Follows
    /// <see cref="Epoch"/> when the row is written, so that writes posted before a takeover are not taken for an intruder's.
    /// </summary>
    internal long StoreEpoch { get; set; }

    /// <summary>Milliseconds since 1970.</summary>
    public long CreatedAt { get; internal set; }

    /// <summary>
    /// Held while a connection ends or another takes over, around everything that belongs to it: fields, Will, and the rows
    /// that are posted. Taken before any other lock.
    /// </summary>
    internal Lock Lifecycle { get; } = new();

    /// <summary>Session Expiry Interval in seconds; <see cref="uint.MaxValue"/> is never.</summary>
    public uint ExpiryInterval { get; set; }

    /// <summary>When it expires, in milliseconds since 1970; null while connected or when never.</summary>
    public long? ExpiresAt { get; internal set; }

    /// <summary>Highest sequence that was sent to the client; null when that is not known any more.</summary>
    internal long? SentUpTo { get; private set; } = 0;

    /// <summary>Due time of its earliest entry in the expiry queue.</summary>
    internal long QueuedExpiry { get; set; } = long.MaxValue;

    /// <summary>Protocol version of the last connection.</summary>
    public ProtocolVersion Version { get; set; } = ProtocolVersion.Mqtt311;

    /// <summary>Will of the present connection.</summary>
    public Wills.Will? Will { get; set; }

    public SessionState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>As <see cref="State"/> says, but without the lock: a hint for whoever must not wait for it.</summary>
    internal bool SeemsEnded => _state == SessionState.Ended;

    /// <summary>Whether a client is connected to it.</summary>
    public bool IsConnected
    {
        get
        {
            lock (_gate)
            {
                return _link is not null;
            }
        }
    }

    /// <summary>
    /// Gives the session to a connection: PUBREL for what awaits PUBCOMP, then what was in flight with DUP in its original
    /// order, then the queue as the window allows (MQTT section 4.4). False when another CONNECT has been accepted since.
    /// </summary>
    /// <param name="link">The connection; its CONNACK is already written, before anything else [MQTT-3.2.0-1].</param>
    /// <param name="epoch">Epoch that the CONNECT was given.</param>
    /// <param name="receiveMaximum">Client's Receive Maximum; 65,535 for 3.x.</param>
    public bool Attach(IClientLink link, long epoch, ushort receiveMaximum)
    {
        lock (_gate)
        {
            if (epoch != Epoch || _state != SessionState.Ready)
            {
                return false;
            }

            _link = link;
            _isBlocked = false;
            _acknowledgesFast = true;

            // The send quota of the connection [MQTT-4.9.0-1].
            _window = Group is null ? Math.Min(_env.Options.MaxInflight, receiveMaximum) : int.MaxValue;
            ResumeReleased();
            BeginMembership();
            AdmitReplays();
            Pump();
            return true;
        }
    }

    /// <summary>
    /// Takes the session from its connection. What was in flight goes back to the head of the queue, in order; ids that
    /// await PUBCOMP keep their place. False when <paramref name="epoch"/> no longer owns the session.
    /// </summary>
    public bool Detach(long epoch)
    {
        lock (_gate)
        {
            if (epoch != Epoch || _state == SessionState.Ended)
            {
                return false;
            }

            DetachLink();
            return true;
        }
    }

    /// <summary>A new CONNECT takes over: raises the epoch and returns the link that is to be closed, if any.</summary>
    public IClientLink? Supersede(long newEpoch)
    {
        lock (_gate)
        {
            Epoch = newEpoch;
            return DetachLink();
        }
    }

    /// <summary>
    /// Ends the session: nothing is routed to it any more, its durable rows go, publishers that wait for it are released.
    /// </summary>
    /// <param name="mayBeStored">
    /// Whether its row may be in the store whatever this object knows of it. When not, nothing is posted for a session whose row has
    /// never been in a transaction: clients whose CONNECT is refused, again and again, must not leave something behind each time.
    /// </param>
    /// <returns>False when it had ended before.</returns>
    public bool End(bool mayBeStored = true)
    {
        List<Subscription> subscriptions;
        lock (_gate)
        {
            if (_state == SessionState.Ended)
            {
                return false;
            }

            DetachLink();
            _state = SessionState.Ended;
            subscriptions = [.. _subscriptions.Values];
            _subscriptions.Clear();
            _replays.Clear();
            ForgetAll(ReasonCode.Success);
        }

        subscriptions.ForEach(s => Unroute(s));
        foreach (var exclusive in subscriptions.Where(static s => s.IsExclusive))
        {
            _env.Exclusive?.GiveBack(this, exclusive.Filter);
        }

        if (IsDurable && (mayBeStored || StoreEpoch != 0))
        {
            _env.Store.Post(new SessionDeletion(this));
        }

        return true;
    }

    private IClientLink? DetachLink()
    {
        var link = _link;
        _link = null;
        if (link is null)
        {
            return null;
        }

        ReturnLoans();

        // Backwards to the front of the queue: the first that was sent ends up first again [MQTT-4.6.0-1] of 3.1.1.
        for (var item = _inflight.Last; item is not null;)
        {
            var previous = item.Previous;
            if (!item.Released)
            {
                _inflight.Remove(item);
                _queue.Requeue(item);
            }

            item = previous;
        }

        return link;
    }

    /// <summary>Its rows go, unless somebody else has them by now (promise 4).</summary>
    private sealed class SessionDeletion(Session session) : StoreWrite
    {
        public override bool MustSucceed => true;

        public override void AddTo(IStoreBatch batch)
        {
            if (batch.Owns(session.Number, session.StoreEpoch))
            {
                batch.DeleteSession(session.Number);
            }
        }
    }
}

/// <summary>Where the deliveries of a session are.</summary>
public enum SessionState
{
    /// <summary>In the store of another silo still, see <see cref="Session.BeginArrival"/>.</summary>
    Arriving,

    /// <summary>In the store only.</summary>
    Dormant,

    /// <summary>On their way from the store.</summary>
    Loading,

    /// <summary>Here.</summary>
    Ready,

    /// <summary>Gone, with the session.</summary>
    Ended,
}
