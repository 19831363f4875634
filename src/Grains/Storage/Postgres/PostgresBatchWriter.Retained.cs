using System.Diagnostics.CodeAnalysis;
using Broker.Grains.Messages;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <content>
/// Retained messages and Wills. No lock of a session protects them, so their rows are written in the order of their keys:
/// two silos that write the same ones do not block each other crosswise.
/// </content>
internal sealed partial class PostgresBatchWriter
{
    private PostgresStatement _putRetained;
    private List<Guid> _retainedKey;
    private List<long> _retainedNumber;
    private List<string> _retainedTopic;
    private MessageColumns _retainedColumns;
    private PostgresStatement _putWill;
    private List<string> _willClient;
    private List<long> _willDelay;
    private List<long?> _willPublishAt;
    private MessageColumns _willColumns;
    private List<long> _willOwner;
    private PostgresStatement _deleteWill;
    private List<string> _deletedWillClient;
    private List<long> _deletedWillOwner;

    [MemberNotNull(
        nameof(_putRetained), nameof(_retainedKey), nameof(_retainedNumber), nameof(_retainedTopic), nameof(_retainedColumns),
        nameof(_putWill), nameof(_willClient), nameof(_willDelay), nameof(_willPublishAt), nameof(_willColumns), nameof(_willOwner), nameof(_deleteWill),
        nameof(_deletedWillClient), nameof(_deletedWillOwner))]
    private void PrepareRetained()
    {
        const string SetMessage =
            """
            id = excluded.id, flags = excluded.flags, expires_at = excluded.expires_at, publisher = excluded.publisher,
                topic_length = excluded.topic_length, properties_length = excluded.properties_length, body = excluded.body
            """;

        // A topic that was cleared has a row without a body. The highest id stays, and of a message and its end the end.
        _putRetained = Statement(
            $"""
            INSERT INTO broker_retained AS r (topic_key, number, topic, {PostgresRows.MessageNames}, cleared_at)
            SELECT *, CASE WHEN body = '' THEN now() END
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS n (topic_key, number, topic, {PostgresRows.MessageNames})
            ON CONFLICT (topic_key) DO UPDATE SET number = excluded.number, cleared_at = excluded.cleared_at, {SetMessage}
            WHERE excluded.id > r.id OR (excluded.id = r.id AND excluded.body = '' AND r.body <> '')
            """);
        _retainedKey = _putRetained.Array<Guid>(NpgsqlDbType.Uuid);
        _retainedNumber = _putRetained.Array<long>(NpgsqlDbType.Bigint);
        _retainedTopic = _putRetained.Array<string>(NpgsqlDbType.Text);
        _retainedColumns = new MessageColumns(_putRetained);

        // Not that of another silo, which the client has connected to since.
        _deleteWill = Statement(
            """
            DELETE FROM broker_will w USING (
                SELECT p.place, r.owner FROM unnest($1, $2) AS r (client, owner)
                CROSS JOIN LATERAL (SELECT ctid AS place FROM broker_will WHERE client_id = r.client OFFSET 0) p) d
            WHERE w.ctid = d.place
                AND (w.owner = d.owner OR NOT EXISTS (SELECT FROM broker_silo s WHERE s.owner = w.owner))
            """);
        _deletedWillClient = _deleteWill.Array<string>(NpgsqlDbType.Text);
        _deletedWillOwner = _deleteWill.Array<long>(NpgsqlDbType.Bigint);
        _putWill = Statement(
            $"""
            INSERT INTO broker_will (client_id, delay_interval, publish_at, {PostgresRows.MessageNames}, owner)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (client_id) DO UPDATE SET delay_interval = excluded.delay_interval,
                publish_at = excluded.publish_at, owner = excluded.owner, {SetMessage}
            """);
        _willClient = _putWill.Array<string>(NpgsqlDbType.Text);
        _willDelay = _putWill.Array<long>(NpgsqlDbType.Bigint);
        _willPublishAt = _putWill.Array<long?>(NpgsqlDbType.Bigint);
        _willColumns = new MessageColumns(_putWill);
        _willOwner = _putWill.Array<long>(NpgsqlDbType.Bigint);
    }

    private void FillRetained(PostgresBatch batch)
    {
        if (batch.Retained.Count == 0)
        {
            return;
        }

        foreach (var (key, topic) in batch.Retained.Keys.Select(topic => (PostgresRows.Key(topic), topic)).Order())
        {
            var (number, message, version) = batch.Retained[topic];
            _retainedKey.Add(key);
            _retainedNumber.Add(number);
            _retainedTopic.Add(topic);
            _retainedColumns.Add(message ?? Cleared(version));
        }
    }

    // Expired in the eyes of a silo of the version before, which does not know of cleared rows.
    private static ApplicationMessage Cleared(MessageId version) => new([], 0, 0) { Id = version, ExpiresAt = 0 };

    private void FillWills(PostgresBatch batch)
    {
        if (batch.Wills.Count == 0)
        {
            return;
        }

        foreach (var clientId in batch.Wills.Keys.Order(StringComparer.Ordinal))
        {
            if (batch.Wills[clientId] is not { } row)
            {
                _deletedWillClient.Add(clientId);
                _deletedWillOwner.Add(Owner);
                _deleteWill.IsUsed = true;
                continue;
            }

            _willClient.Add(clientId);
            _willDelay.Add(row.DelayInterval);
            _willPublishAt.Add(row.PublishAt);
            _willOwner.Add(Owner);
            _willColumns.Add(row.Message);
        }
    }
}
