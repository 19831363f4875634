using System.Diagnostics.CodeAnalysis;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <content>
/// Messages, their counts and deliveries. A message goes with its last delivery in the same transaction; how many are left is
/// known to the server only, because sessions of other silos refer to it too.
/// </content>
internal sealed partial class PostgresBatchWriter
{
    // More than any message has references: whatever is there goes.
    private const int AllReferences = 1_000_000_000;

    private readonly Dictionary<long, int> _released = [];
    private long _highestMessage;

    private PostgresStatement _putMessage;
    private List<long> _messageNumber;
    private MessageColumns _messageColumns;
    private PostgresStatement _putReference;
    private List<long> _referenceMessage;
    private List<int> _referenceCount;
    private PostgresStatement _dropReference;
    private List<long> _dropReferenceMessage;

    private PostgresStatement _putDelivery;
    private List<long> _deliverySession;
    private List<long> _deliverySequence;
    private List<long> _deliveryMessage;
    private List<int> _deliverySize;
    private List<short> _deliveryFlags;
    private List<long?> _deliveryExpiry;
    private List<byte[]?> _deliveryIdentifiers;
    private List<Guid?> _deliveryInDoubt;
    private PostgresStatement _release;
    private List<long> _releaseSession;
    private List<long> _releaseSequence;

    [MemberNotNull(
        nameof(_putMessage), nameof(_messageNumber), nameof(_messageColumns), nameof(_putReference), nameof(_referenceMessage),
        nameof(_referenceCount), nameof(_dropReference), nameof(_dropReferenceMessage))]
    private void PrepareMessages()
    {
        _putMessage = Statement(
            $"""
            INSERT INTO broker_message (number, {PostgresRows.MessageNames})
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (number) DO UPDATE SET id = excluded.id, flags = excluded.flags, expires_at = excluded.expires_at,
                publisher = excluded.publisher, topic_length = excluded.topic_length,
                properties_length = excluded.properties_length, body = excluded.body
            """);
        _messageNumber = _putMessage.Array<long>(NpgsqlDbType.Bigint);
        _messageColumns = new MessageColumns(_putMessage);
        _putReference = Statement(
            """
            INSERT INTO broker_message_reference (message, count) SELECT * FROM unnest($1, $2)
            ON CONFLICT (message) DO UPDATE SET count = excluded.count
            """);
        _referenceMessage = _putReference.Array<long>(NpgsqlDbType.Bigint);
        _referenceCount = _putReference.Array<int>(NpgsqlDbType.Integer);
        _dropReference = Statement("DELETE FROM broker_message_reference WHERE message = ANY ($1)");
        _dropReferenceMessage = _dropReference.Array<long>(NpgsqlDbType.Bigint);
    }

    [MemberNotNull(
        nameof(_putDelivery), nameof(_deliverySession), nameof(_deliverySequence), nameof(_deliveryMessage),
        nameof(_deliverySize), nameof(_deliveryFlags), nameof(_deliveryExpiry), nameof(_deliveryIdentifiers),
        nameof(_deliveryInDoubt), nameof(_release), nameof(_releaseSession), nameof(_releaseSequence))]
    private void PrepareDeliveries()
    {
        _putDelivery = Statement(
            """
            INSERT INTO broker_delivery (session, sequence, message, size, flags, expires_at, identifiers, in_doubt)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (session, sequence) DO UPDATE SET message = excluded.message, size = excluded.size,
                flags = excluded.flags, expires_at = excluded.expires_at, identifiers = excluded.identifiers, in_doubt = excluded.in_doubt
            """);
        _deliverySession = _putDelivery.Array<long>(NpgsqlDbType.Bigint);
        _deliverySequence = _putDelivery.Array<long>(NpgsqlDbType.Bigint);
        _deliveryMessage = _putDelivery.Array<long>(NpgsqlDbType.Bigint);
        _deliverySize = _putDelivery.Array<int>(NpgsqlDbType.Integer);
        _deliveryFlags = _putDelivery.Array<short>(NpgsqlDbType.Smallint);
        _deliveryExpiry = _putDelivery.Array<long?>(NpgsqlDbType.Bigint);
        _deliveryIdentifiers = _putDelivery.Array<byte[]?>(NpgsqlDbType.Bytea);
        _deliveryInDoubt = _putDelivery.Array<Guid?>(NpgsqlDbType.Uuid);
        _release = Statement(
            """
            UPDATE broker_delivery SET flags = flags | 8 WHERE ctid = ANY (ARRAY(
                SELECT d.place FROM unnest($1, $2) AS r (session, sequence)
                CROSS JOIN LATERAL (
                    SELECT ctid AS place FROM broker_delivery
                    WHERE session = r.session AND sequence = r.sequence OFFSET 0) d))
            """);
        _releaseSession = _release.Array<long>(NpgsqlDbType.Bigint);
        _releaseSequence = _release.Array<long>(NpgsqlDbType.Bigint);
    }

    private void FillDeliveries(PostgresBatch batch)
    {
        _released.Clear();
        var deliveries = batch.Deliveries;
        for (var i = 0; i < deliveries.Length; i++)
        {
            ref readonly var change = ref deliveries[i];
            var isVoid = batch.IsVoid(change.Row.Session, change.Order);
            if (change.Kind == DeliveryChangeKind.Annulled || (isVoid && change.Kind == DeliveryChangeKind.Put))
            {
                // Counted as a reference and never stored. Where the store may hold the row already, its removal gives the
                // reference back; twice would lose a message.
                if (!change.MayExist || batch.Messages.ContainsKey(change.Row.Message))
                {
                    Release(batch, change.Row.Message);
                }
            }
            else if (isVoid)
            {
                continue;
            }
            else if (change.Kind == DeliveryChangeKind.Put)
            {
                PutDelivery(in change);
            }
            else if (change.Kind == DeliveryChangeKind.Release)
            {
                _releaseSession.Add(change.Row.Session);
                _releaseSequence.Add(change.Row.Sequence);
                _release.IsUsed = true;
            }
            else
            {
                Delete(change.Row.Session, change.Row.Sequence);
            }
        }
    }

    private void PutDelivery(in DeliveryChange change)
    {
        ref readonly var row = ref change.Row;
        if (change.MayExist)
        {
            Replace(in row);
        }

        _deliverySession.Add(row.Session);
        _deliverySequence.Add(row.Sequence);
        _deliveryMessage.Add(row.Message);
        _deliverySize.Add(row.Size);
        _deliveryFlags.Add(PostgresRows.Flags(in row));
        _deliveryExpiry.Add(PostgresRows.Expiry(row.ExpiresAt));
        _deliveryIdentifiers.Add(PostgresRows.Identifiers(row.SubscriptionIdentifiers));
        _deliveryInDoubt.Add(PostgresRows.NullableId(row.InDoubt));
        _putDelivery.IsUsed = true;
    }

    private void FillMessages(PostgresBatch batch)
    {
        foreach (var (number, change) in batch.Messages)
        {
            var isNew = number > _highestMessage && _messageNumbers.MayHaveGiven(number);
            if (change.References <= 0)
            {
                if (!isNew)
                {
                    _released[number] = AllReferences;
                }

                continue;
            }

            _messageNumber.Add(number);
            _messageColumns.Add(change.Message);
            if (change.References > 1)
            {
                _referenceMessage.Add(number);
                _referenceCount.Add(change.References);
                _putReference.IsUsed = true;
            }
            else if (!isNew)
            {
                _dropReferenceMessage.Add(number);
                _dropReference.IsUsed = true;
            }
        }
    }
}
