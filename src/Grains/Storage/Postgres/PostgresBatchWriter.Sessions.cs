using System.Diagnostics.CodeAnalysis;
using Broker.Grains.Messages;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <content>Sessions, subscriptions, replays, inbound ids.</content>
internal sealed partial class PostgresBatchWriter
{
    private PostgresStatement _putSession;
    private List<long> _sessionNumber;
    private List<string> _sessionClient;
    private List<long> _sessionEpoch;
    private List<long> _sessionOwner;
    private List<long> _sessionInterval;
    private List<long?> _sessionExpiry;
    private List<long> _sessionCreated;
    private List<short> _sessionVersion;
    private List<long?> _sessionSentUpTo;
    private PostgresStatement _putSubscription;
    private List<long> _subscriptionSession;
    private List<Guid> _subscriptionKey;
    private List<string> _subscriptionFilter;
    private List<short> _subscriptionOptions;
    private List<long> _subscriptionIdentifier;
    private KeyedDeletion _deleteSubscription;
    private PostgresStatement _putReplay;
    private List<long> _replaySession;
    private List<Guid> _replayKey;
    private List<string> _replayFilter;
    private List<long> _replayAfter;
    private List<Guid?> _replayUpTo;
    private KeyedDeletion _deleteReplay;
    private PostgresStatement _putInbound;
    private List<long> _inboundSession;
    private List<int> _inboundId;
    private List<Guid?> _inboundMessage;
    private PostgresStatement _deleteInbound;
    private List<long> _deletedInboundSession;
    private List<int> _deletedInboundId;

    [MemberNotNull(
        nameof(_putSession), nameof(_sessionNumber), nameof(_sessionClient), nameof(_sessionEpoch), nameof(_sessionOwner),
        nameof(_sessionInterval), nameof(_sessionExpiry), nameof(_sessionCreated), nameof(_sessionVersion),
        nameof(_sessionSentUpTo), nameof(_putSubscription), nameof(_subscriptionSession), nameof(_subscriptionKey),
        nameof(_subscriptionFilter), nameof(_subscriptionOptions), nameof(_subscriptionIdentifier),
        nameof(_deleteSubscription), nameof(_putReplay), nameof(_replaySession), nameof(_replayKey), nameof(_replayFilter),
        nameof(_replayAfter), nameof(_replayUpTo), nameof(_deleteReplay), nameof(_putInbound), nameof(_inboundSession), nameof(_inboundId), nameof(_inboundMessage),
        nameof(_deleteInbound), nameof(_deletedInboundSession), nameof(_deletedInboundId))]
    private void PrepareSessions()
    {
        _putSession = Statement(
            """
            INSERT INTO broker_session
                (number, client_id, epoch, owner, expiry_interval, expires_at, created_at, version, sent_up_to)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (number) DO UPDATE SET client_id = excluded.client_id, epoch = excluded.epoch, owner = excluded.owner,
                expiry_interval = excluded.expiry_interval, expires_at = excluded.expires_at,
                created_at = excluded.created_at, version = excluded.version, sent_up_to = excluded.sent_up_to
            WHERE excluded.epoch >= broker_session.epoch
            """);
        _sessionNumber = _putSession.Array<long>(NpgsqlDbType.Bigint);
        _sessionClient = _putSession.Array<string>(NpgsqlDbType.Text);
        _sessionEpoch = _putSession.Array<long>(NpgsqlDbType.Bigint);
        _sessionOwner = _putSession.Array<long>(NpgsqlDbType.Bigint);
        _sessionInterval = _putSession.Array<long>(NpgsqlDbType.Bigint);
        _sessionExpiry = _putSession.Array<long?>(NpgsqlDbType.Bigint);
        _sessionCreated = _putSession.Array<long>(NpgsqlDbType.Bigint);
        _sessionVersion = _putSession.Array<short>(NpgsqlDbType.Smallint);
        _sessionSentUpTo = _putSession.Array<long?>(NpgsqlDbType.Bigint);
        _putSubscription = Statement(
            """
            INSERT INTO broker_subscription (session, filter_key, filter, options, identifier)
            SELECT * FROM unnest($1, $2, $3, $4, $5)
            ON CONFLICT (session, filter_key) DO UPDATE SET options = excluded.options, identifier = excluded.identifier
            """);
        _subscriptionSession = _putSubscription.Array<long>(NpgsqlDbType.Bigint);
        _subscriptionKey = _putSubscription.Array<Guid>(NpgsqlDbType.Uuid);
        _subscriptionFilter = _putSubscription.Array<string>(NpgsqlDbType.Text);
        _subscriptionOptions = _putSubscription.Array<short>(NpgsqlDbType.Smallint);
        _subscriptionIdentifier = _putSubscription.Array<long>(NpgsqlDbType.Bigint);
        _deleteSubscription = new KeyedDeletion("broker_subscription", Statement);
        _putReplay = Statement(
            """
            INSERT INTO broker_replay (session, filter_key, filter, after_number, up_to) SELECT * FROM unnest($1, $2, $3, $4, $5)
            ON CONFLICT (session, filter_key) DO UPDATE SET after_number = excluded.after_number, up_to = excluded.up_to
            """);
        _replaySession = _putReplay.Array<long>(NpgsqlDbType.Bigint);
        _replayKey = _putReplay.Array<Guid>(NpgsqlDbType.Uuid);
        _replayFilter = _putReplay.Array<string>(NpgsqlDbType.Text);
        _replayAfter = _putReplay.Array<long>(NpgsqlDbType.Bigint);
        _replayUpTo = _putReplay.Array<Guid?>(NpgsqlDbType.Uuid);
        _deleteReplay = new KeyedDeletion("broker_replay", Statement);
        _putInbound = Statement(
            """
            INSERT INTO broker_inbound (session, packet_id, message) SELECT * FROM unnest($1, $2, $3)
            ON CONFLICT (session, packet_id) DO UPDATE SET message = excluded.message
            """);
        _inboundSession = _putInbound.Array<long>(NpgsqlDbType.Bigint);
        _inboundId = _putInbound.Array<int>(NpgsqlDbType.Integer);
        _inboundMessage = _putInbound.Array<Guid?>(NpgsqlDbType.Uuid);
        _deleteInbound = Statement(
            """
            DELETE FROM broker_inbound WHERE ctid = ANY (ARRAY(
                SELECT i.place FROM unnest($1, $2) AS r (session, packet_id)
                CROSS JOIN LATERAL (
                    SELECT ctid AS place FROM broker_inbound
                    WHERE session = r.session AND packet_id = r.packet_id OFFSET 0) i))
            """);
        _deletedInboundSession = _deleteInbound.Array<long>(NpgsqlDbType.Bigint);
        _deletedInboundId = _deleteInbound.Array<int>(NpgsqlDbType.Integer);
    }

    private void FillSessions(PostgresBatch batch)
    {
        foreach (var row in batch.Sessions.Values)
        {
            if (row is not null)
            {
                PutSession(row);
            }
        }

        foreach (var (key, (row, order)) in batch.Subscriptions)
        {
            if (!batch.IsVoid(key.Session, order))
            {
                PutSubscription(key.Session, key.Filter, row);
            }
        }

        foreach (var (key, (afterNumber, upTo, order)) in batch.Replays)
        {
            if (!batch.IsVoid(key.Session, order))
            {
                PutReplay(key.Session, key.Filter, afterNumber, upTo);
            }
        }

        foreach (var (key, (put, inDoubt, order)) in batch.InboundIds)
        {
            if (batch.IsVoid(key.Session, order))
            {
                continue;
            }

            (put ? _inboundSession : _deletedInboundSession).Add(key.Session);
            (put ? _inboundId : _deletedInboundId).Add(key.PacketId);
            (put ? _putInbound : _deleteInbound).IsUsed = true;
            if (put)
            {
                _inboundMessage.Add(PostgresRows.NullableId(inDoubt));
            }
        }
    }

    private void PutSession(SessionRow row)
    {
        _sessionNumber.Add(row.Number);
        _sessionClient.Add(row.ClientId);
        _sessionEpoch.Add(row.Epoch);
        _sessionOwner.Add(Owner);
        _sessionInterval.Add(row.ExpiryInterval);
        _sessionExpiry.Add(row.ExpiresAt);
        _sessionCreated.Add(row.CreatedAt);
        _sessionVersion.Add((short)row.Version);
        _sessionSentUpTo.Add(row.SentUpTo);
        _putSession.IsUsed = true;
    }

    private void PutSubscription(long session, string filter, SubscriptionRow? row)
    {
        FollowSubscription(session, filter, isPut: row is not null);
        if (row is null)
        {
            _deleteSubscription.Add(session, filter);
            return;
        }

        _subscriptionSession.Add(session);
        _subscriptionKey.Add(PostgresRows.Key(filter));
        _subscriptionFilter.Add(filter);
        _subscriptionOptions.Add(row.Options);
        _subscriptionIdentifier.Add(row.Identifier);
        _putSubscription.IsUsed = true;
    }

    private void PutReplay(long session, string filter, long? afterNumber, MessageId upTo)
    {
        if (afterNumber is not { } after)
        {
            _deleteReplay.Add(session, filter);
            return;
        }

        _replaySession.Add(session);
        _replayKey.Add(PostgresRows.Key(filter));
        _replayFilter.Add(filter);
        _replayAfter.Add(after);
        _replayUpTo.Add(PostgresRows.NullableId(upTo));
        _putReplay.IsUsed = true;
    }
}
