using Broker.Grains.Cluster;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Exclusive;

/// <summary>
/// Who holds which exclusive subscription (<c>$exclusive/FILTER</c>). A session claims it before it subscribes, and gives it back when
/// it has unsubscribed or ended.
/// <para>
/// On one silo that is a dictionary; after a restart, the subscriptions of the durable sessions fill it. In a cluster the database
/// decides by a row for each filter (<c>deploy/sql/110-exclusive.sql</c>): for a durable session it holds as long as the
/// subscription's own row is there, whichever silo has the session; for any other as long as the silo lives that has claimed it.
/// </para>
/// </summary>
public sealed class ExclusiveSubscriptions(IMessageStore store, ClusterStore? cluster = null)
{
    private readonly Dictionary<string, Session> _holders = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Claims an exclusive subscription; false when another client holds it. One that the session has already is claimed again.</summary>
    /// <exception cref="StoreException">The database does not answer: it is not granted.</exception>
    public ValueTask<bool> TryClaimAsync(Session session, string filter, CancellationToken cancellationToken)
    {
        if (cluster is not null)
        {
            return new(cluster.ClaimExclusiveAsync(filter, session.ClientId, HolderOf(session), cancellationToken));
        }

        lock (_gate)
        {
            if (_holders.TryGetValue(filter, out var holder) && holder != session)
            {
                return new(false);
            }

            _holders[filter] = session;
            return new(true);
        }
    }

    /// <summary>
    /// A session has unsubscribed from some filters. Completes when the next client may have what was exclusive; of a durable
    /// session in a cluster that has come with the removal of the subscription's row.
    /// </summary>
    /// <exception cref="StoreException">In a cluster, for a session that is not durable: refused, and the session still holds them.</exception>
    public async Task UnsubscribedAsync(Session session, IReadOnlyList<string> filters)
    {
        if (cluster is not null && !session.IsDurable && filters.Any(ExclusiveFilter.IsExclusive))
        {
            var write = new Release(HolderOf(session), filters, mustSucceed: false);
            store.Post(write);
            await write.Committed;
        }

        foreach (var filter in filters)
        {
            Forget(session, filter);
        }
    }

    /// <summary>A claim came to nothing, or its session has ended: it is given back, sooner or later.</summary>
    public void GiveBack(Session session, string filter)
    {
        if (cluster is not null)
        {
            store.Post(new Release(HolderOf(session), [filter], mustSucceed: true));
        }

        Forget(session, filter);
    }

    /// <summary>A session has a subscription that it need not claim: the store says that it is its.</summary>
    internal void Restored(Session session, string filter)
    {
        if (cluster is null)
        {
            lock (_gate)
            {
                _holders[filter] = session;
            }
        }
    }

    private long HolderOf(Session session) =>
        session.IsDurable ? session.Number : session.ExclusiveHolder ??= store.NextSessionNumber();

    private void Forget(Session session, string filter)
    {
        lock (_gate)
        {
            if (_holders.GetValueOrDefault(filter) == session)
            {
                _holders.Remove(filter);
            }
        }
    }

    private sealed class Release(long holder, IReadOnlyList<string> filters, bool mustSucceed) : AwaitableWrite
    {
        public override bool MustSucceed => mustSucceed;

        public override void AddTo(IStoreBatch batch)
        {
            foreach (var filter in filters.Where(ExclusiveFilter.IsExclusive))
            {
                batch.ReleaseExclusive(holder, filter);
            }
        }
    }
}
