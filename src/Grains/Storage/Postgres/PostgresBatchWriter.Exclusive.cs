using System.Diagnostics.CodeAnalysis;
using Broker.Protocol;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <content>
/// Claims of exclusive subscriptions, with the subscriptions of durable sessions. Here a row is changed by its holder alone, which
/// one silo has at a time.
/// </content>
internal sealed partial class PostgresBatchWriter
{
    private PostgresStatement _storeExclusive;
    private List<Guid> _storedExclusiveKey;
    private List<string> _storedExclusiveFilter;
    private List<long> _storedExclusiveHolder;
    private PostgresStatement _releaseExclusive;
    private List<Guid> _releasedExclusiveKey;
    private List<long> _releasedExclusiveHolder;
    private List<bool> _releasedExclusiveIsStored;

    [MemberNotNull(
        nameof(_storeExclusive), nameof(_storedExclusiveKey), nameof(_storedExclusiveFilter), nameof(_storedExclusiveHolder),
        nameof(_releaseExclusive), nameof(_releasedExclusiveKey), nameof(_releasedExclusiveHolder), nameof(_releasedExclusiveIsStored))]
    private void PrepareExclusive()
    {
        // A claim that came to nothing here may have come to something since on the silo that has the session: that one stays.
        _releaseExclusive = Statement(
            """
            DELETE FROM broker_exclusive e USING (
                SELECT p.place, n.holder, n.is_stored FROM unnest($1, $2, $3) AS n (filter_key, holder, is_stored)
                CROSS JOIN LATERAL (SELECT ctid AS place FROM broker_exclusive WHERE filter_key = n.filter_key OFFSET 0) p) r
            WHERE e.ctid = r.place AND e.holder = r.holder AND (r.is_stored OR NOT e.is_stored)
            """);
        _releasedExclusiveKey = _releaseExclusive.Array<Guid>(NpgsqlDbType.Uuid);
        _releasedExclusiveHolder = _releaseExclusive.Array<long>(NpgsqlDbType.Bigint);
        _releasedExclusiveIsStored = _releaseExclusive.Array<bool>(NpgsqlDbType.Boolean);

        // A claim that was given back before, by a write that had to wait, is made again.
        _storeExclusive = Statement(
            """
            INSERT INTO broker_exclusive AS e (filter_key, filter, client_id, holder, owner, is_stored)
            SELECT n.filter_key, n.filter, s.client_id, s.number, s.owner, true
            FROM unnest($1, $2, $3) AS n (filter_key, filter, holder) JOIN broker_session s ON s.number = n.holder
            ON CONFLICT (filter_key) DO UPDATE SET is_stored = true WHERE e.holder = excluded.holder
            """);
        _storedExclusiveKey = _storeExclusive.Array<Guid>(NpgsqlDbType.Uuid);
        _storedExclusiveFilter = _storeExclusive.Array<string>(NpgsqlDbType.Text);
        _storedExclusiveHolder = _storeExclusive.Array<long>(NpgsqlDbType.Bigint);
    }

    private void FillExclusive(PostgresBatch batch)
    {
        foreach (var (holder, filter) in batch.ReleasedExclusives)
        {
            ReleaseExclusive(holder, filter, isStored: false);
        }
    }

    /// <summary>A durable session's subscription is put or deleted: what it says of an exclusive one is said of the claim too.</summary>
    private void FollowSubscription(long session, string filter, bool isPut)
    {
        if (!ExclusiveFilter.IsExclusive(filter))
        {
            return;
        }

        if (!isPut)
        {
            ReleaseExclusive(session, filter, isStored: true);
            return;
        }

        _storedExclusiveKey.Add(PostgresRows.Key(filter));
        _storedExclusiveFilter.Add(filter);
        _storedExclusiveHolder.Add(session);
        _storeExclusive.IsUsed = true;
    }

    private void ReleaseExclusive(long holder, string filter, bool isStored)
    {
        _releasedExclusiveKey.Add(PostgresRows.Key(filter));
        _releasedExclusiveHolder.Add(holder);
        _releasedExclusiveIsStored.Add(isStored);
        _releaseExclusive.IsUsed = true;
    }
}
