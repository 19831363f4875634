using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Routing;
using Broker.Grains.Storage;

namespace Broker.Grains.Wills;

/// <summary>
/// Publishes Wills: at once or after their delay. A Will is a row from before CONNACK until its publication is durable in
/// the same transaction that removes the row, so a broker that dies publishes it after its restart, once.
/// <para>
/// A Will's row goes by Client Identifier, and has neither number nor epoch of a session: a session that ends with its connection has
/// no row to compare with. What a former connection writes cannot come behind the Will of the next one all the same. It is posted
/// while the session's <see cref="Sessions.Session.Lifecycle"/> is held and its epoch is the connection's (end of a connection), by the CONNECT
/// itself before it posts its own rows (takeover, <see cref="ClientReturned"/>), in a turn of the client's grain, of which a CONNECT
/// with a Will is another (expiry), or under the lock that <see cref="ClientReturned"/> takes (<see cref="Tick"/>); and the writer
/// commits in the order of posting, also what it tries again. In a cluster a silo that is left flushes what it has posted before the
/// next one commits, one that is declared dead can commit nothing any more, and the row's owner is compared when it is deleted.
/// </para>
/// </summary>
public sealed class WillService(
    MessageRouter router, IMessageStore store, MessageIdSource ids, TimeProvider time, RoutingGate? gate = null)
{
    private readonly Dictionary<string, DelayedWill> _delayed = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Wills that wait for their delay.</summary>
    public int DelayedCount
    {
        get
        {
            lock (_gate)
            {
                return _delayed.Count;
            }
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The connection ended without a DISCONNECT that withdraws the Will.</summary>
    /// <param name="sessionEndsIn">Seconds until the session ends, which publishes the Will if its delay is longer [MQTT-3.1.2-8].</param>
    public void ConnectionLost(Will will, uint sessionEndsIn)
    {
        var delay = Math.Min(will.DelayInterval, sessionEndsIn);
        if (delay == 0)
        {
            Publish(will);
            return;
        }

        Delay(new DelayedWill(will, Now + (delay * 1000L), IsLeftByBroker: false));
        store.Post(new WillWrite(will.ToRow(sessionEndsIn, Now + (delay * 1000L))));
    }

    /// <summary>A Will that waits: for its delay, or for a client that a broker has left.</summary>
    public void Delay(in DelayedWill delayed)
    {
        lock (_gate)
        {
            _delayed[delayed.Will.ClientId] = delayed;
        }
    }

    /// <summary>
    /// The broker, or this silo of it, has ended the connection because it stops. The Will waits for the client to come back;
    /// its row stays as it is, for whoever starts or takes over when this process is gone.
    /// </summary>
    /// <param name="sessionEndsIn">Seconds until the session ends; 0 when it has ended with the connection.</param>
    /// <param name="grace">Least time that the client has.</param>
    public void Defer(Will will, uint sessionEndsIn, TimeSpan grace)
    {
        var delay = Math.Max(Math.Min(will.DelayInterval, sessionEndsIn) * 1000L, (long)grace.TotalMilliseconds);
        Delay(new DelayedWill(will, Now + delay, IsLeftByBroker: true));
    }

    /// <summary>Whether a Will waits that the client's CONNECT decides about.</summary>
    public bool IsDelayed(string clientId)
    {
        lock (_gate)
        {
            return _delayed.Count > 0 && _delayed.ContainsKey(clientId);
        }
    }

    /// <summary>DISCONNECT withdraws the Will [MQTT-3.1.2-10] [MQTT-3.14.4-3].</summary>
    public void Withdraw(Will will) => store.Post(new WillDeletion(will.ClientId));

    /// <summary>
    /// The client is back before its Will was due: not published when the session goes on [MQTT-3.1.3-9], published now
    /// when it ends. A Will of a connection that the broker has ended is not published in either case: its client did not fail.
    /// </summary>
    /// <returns>A Will that is not published: its row is the caller's to replace or delete.</returns>
    public DelayedWill? ClientReturned(string clientId, bool isResumed)
    {
        if (Take(clientId) is not { } delayed)
        {
            return null;
        }

        if (isResumed || delayed.IsLeftByBroker)
        {
            return delayed;
        }

        Publish(delayed.Will);
        return null;
    }

    /// <summary>The session ended: its delayed Will is due now.</summary>
    public void SessionEnded(string clientId)
    {
        if (Take(clientId) is { } delayed)
        {
            Publish(delayed.Will);
        }
    }

    /// <summary>Publishes what has become due.</summary>
    public void Tick()
    {
        var now = Now;
        lock (_gate)
        {
            List<Will> due = [.. _delayed.Values.Where(d => d.Due <= now).Select(d => d.Will)];
            foreach (var will in due)
            {
                // Under the lock, which ClientReturned takes: the deletion of the row is posted before the client's next Will.
                _delayed.Remove(will.ClientId);
                Publish(will);
            }
        }
    }

    /// <summary>Publishes a Will now.</summary>
    public void Publish(Will will)
    {
        var phase = gate?.EnterUnheld();
        try
        {
            Route(will);
        }
        finally
        {
            if (phase is { } entered)
            {
                gate!.ExitUnheld(entered);
            }
        }
    }

    private DelayedWill? Take(string clientId)
    {
        lock (_gate)
        {
            return _delayed.Remove(clientId, out var delayed) ? delayed : null;
        }
    }

    private void Route(Will will)
    {
        var source = new PublishSource(will.ToMessage(ids, Now));
        var record = router.NewRecord(ref source, isKept: true);
        router.Route(ref source, null, ref record);
        record!.AddRows(batch => batch.DeleteWill(will.ClientId));
        record.Seal();
        record.Post();
    }

    private sealed class WillWrite(WillRow row) : StoreWrite
    {
        public override bool MustSucceed => true;

        public override int Bytes => row.Message.Size + 64;

        public override void AddTo(IStoreBatch batch) => batch.PutWill(row);
    }

    private sealed class WillDeletion(string clientId) : StoreWrite
    {
        public override bool MustSucceed => true;

        public override void AddTo(IStoreBatch batch) => batch.DeleteWill(clientId);
    }
}
