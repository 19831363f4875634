using System.Diagnostics.CodeAnalysis;

namespace Broker.Grains.Storage.Sqlite;

/// <content>Sessions, subscriptions, inbound ids, replays, retained messages, wills, meta.</content>
internal sealed partial class SqliteBatchWriter
{
    private SqliteStatement _putSession;
    private SqliteStatement _otherSession;
    private SqliteStatement[] _deleteOfSession;
    private SqliteStatement _messagesOfSession;
    private SqliteStatement _putSubscription;
    private SqliteStatement _deleteSubscription;
    private SqliteStatement _putReplay;
    private SqliteStatement _deleteReplay;
    private SqliteStatement _putInbound;
    private SqliteStatement _deleteInbound;
    private SqliteStatement _putRetained;
    private SqliteStatement _deleteRetained;
    private SqliteStatement _putWill;
    private SqliteStatement _deleteWill;
    private SqliteStatement _putMeta;

    [MemberNotNull(
        nameof(_putSession), nameof(_otherSession), nameof(_deleteOfSession), nameof(_messagesOfSession),
        nameof(_putSubscription), nameof(_deleteSubscription), nameof(_putReplay), nameof(_deleteReplay),
        nameof(_putInbound), nameof(_deleteInbound), nameof(_putRetained), nameof(_deleteRetained), nameof(_putWill),
        nameof(_deleteWill), nameof(_putMeta))]
    private void PrepareSessions()
    {
        _putSession = Prepare(
            """
            INSERT INTO session (number, client_id, epoch, expiry_interval, expires_at, created_at, version, sent_up_to)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (number) DO UPDATE SET client_id = excluded.client_id, epoch = excluded.epoch,
                expiry_interval = excluded.expiry_interval, expires_at = excluded.expires_at,
                created_at = excluded.created_at, version = excluded.version, sent_up_to = excluded.sent_up_to
            """);
        _otherSession = Prepare("SELECT number FROM session WHERE client_id = ? AND number <> ?");
        _messagesOfSession = Prepare("SELECT message FROM delivery WHERE session = ?");
        _deleteOfSession =
        [
            Prepare("DELETE FROM delivery WHERE session = ?"),
            Prepare("DELETE FROM subscription WHERE session = ?"),
            Prepare("DELETE FROM inbound WHERE session = ?"),
            Prepare("DELETE FROM replay WHERE session = ?"),
            Prepare("DELETE FROM session WHERE number = ?"),
        ];
        _putSubscription = Prepare(
            "INSERT OR REPLACE INTO subscription (session, filter, options, identifier) VALUES (?, ?, ?, ?)");
        _deleteSubscription = Prepare("DELETE FROM subscription WHERE session = ? AND filter = ?");
        _putReplay = Prepare("INSERT OR REPLACE INTO replay (session, filter, after_number, up_to) VALUES (?, ?, ?, ?)");
        _deleteReplay = Prepare("DELETE FROM replay WHERE session = ? AND filter = ?");
        _putInbound = Prepare("INSERT OR REPLACE INTO inbound (session, packet_id) VALUES (?, ?)");
        _deleteInbound = Prepare("DELETE FROM inbound WHERE session = ? AND packet_id = ?");
        _putRetained = Prepare(
            $"""
            INSERT INTO retained (topic, number, {RowCodec.MessageColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (topic) DO UPDATE SET number = excluded.number, id = excluded.id, flags = excluded.flags,
                expires_at = excluded.expires_at, publisher = excluded.publisher, topic_length = excluded.topic_length,
                properties_length = excluded.properties_length, body = excluded.body
            WHERE excluded.id > retained.id
            """);
        _deleteRetained = Prepare("DELETE FROM retained WHERE topic = ? AND id <= ?");
        _putWill = Prepare(
            $"""
            INSERT OR REPLACE INTO will (client_id, delay_interval, publish_at, {RowCodec.MessageColumns})
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """);
        _deleteWill = Prepare("DELETE FROM will WHERE client_id = ?");
        _putMeta = Prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
    }

    private void WriteSessions(StoreBatch batch)
    {
        foreach (var session in batch.DeletedSessions.Keys)
        {
            RemoveSession(session);
        }

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
                _rows += row is null
                    ? _deleteSubscription.Bind(1, key.Session).Bind(2, key.Filter).Execute()
                    : _putSubscription.Bind(1, key.Session).Bind(2, key.Filter).Bind(3, row.Options)
                        .Bind(4, row.Identifier).Execute();
            }
        }

        foreach (var (key, (afterNumber, upTo, order)) in batch.Replays)
        {
            if (!batch.IsVoid(key.Session, order))
            {
                _rows += afterNumber is { } number
                    ? RowCodec.BindNullableId(_putReplay.Bind(1, key.Session).Bind(2, key.Filter).Bind(3, number), 4, upTo).Execute()
                    : _deleteReplay.Bind(1, key.Session).Bind(2, key.Filter).Execute();
            }
        }

        foreach (var (key, (put, _, order)) in batch.InboundIds)
        {
            if (!batch.IsVoid(key.Session, order))
            {
                _rows += (put ? _putInbound : _deleteInbound).Bind(1, key.Session).Bind(2, key.PacketId).Execute();
            }
        }
    }

    private void PutSession(SessionRow row)
    {
        if (_known.Epoch(row.Number) is null)
        {
            // A new session of a client takes the place of its old one, also when nobody deleted that.
            if (_otherSession.Bind(1, row.ClientId).Bind(2, row.Number).Step())
            {
                var other = _otherSession.Int64(0);
                _otherSession.Reset();
                RemoveSession(other);
            }
        }

        _rows += _putSession
            .Bind(1, row.Number)
            .Bind(2, row.ClientId)
            .Bind(3, row.Epoch)
            .Bind(4, row.ExpiryInterval)
            .Bind(5, row.ExpiresAt)
            .Bind(6, row.CreatedAt)
            .Bind(7, (long)row.Version)
            .Bind(8, row.SentUpTo)
            .Execute();
    }

    private void RemoveSession(long session)
    {
        _messagesOfSession.Bind(1, session);
        while (_messagesOfSession.Step())
        {
            Release(_messagesOfSession.Int64(0));
        }

        foreach (var statement in _deleteOfSession)
        {
            _rows += statement.Bind(1, session).Execute();
        }

        _removedSessions.Add(session);
    }

    private void WriteRetained(StoreBatch batch)
    {
        foreach (var (topic, (number, message, version)) in batch.Retained)
        {
            _rows += message is null
                ? RowCodec.BindId(_deleteRetained.Bind(1, topic), 2, version).Execute()
                : RowCodec.BindMessage(_putRetained.Bind(1, topic).Bind(2, number), 3, message).Execute();
        }
    }

    private void WriteWills(StoreBatch batch)
    {
        foreach (var (clientId, row) in batch.Wills)
        {
            _rows += row is null
                ? _deleteWill.Bind(1, clientId).Execute()
                : RowCodec.BindMessage(
                    _putWill.Bind(1, clientId).Bind(2, row.DelayInterval).Bind(3, row.PublishAt), 4, row.Message).Execute();
        }
    }
}
