using System.Diagnostics.CodeAnalysis;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <content>
/// Delayed messages. Only their owner writes them, and who takes them over has shut it out before, so no two transactions that
/// can both come to their end meet.
/// </content>
internal sealed partial class PostgresBatchWriter
{
    private PostgresStatement _putDelayed;
    private List<long> _delayedOwner;
    private List<long> _delayedDue;
    private List<Guid?> _delayedPublishedAs;
    private MessageColumns _delayedColumns;
    private PostgresStatement _markDelayed;
    private List<Guid> _markedId;
    private List<Guid> _markedAs;
    private PostgresStatement _deleteDelayed;
    private List<Guid> _deletedDelayed;

    [MemberNotNull(
        nameof(_putDelayed), nameof(_delayedOwner), nameof(_delayedDue), nameof(_delayedPublishedAs), nameof(_delayedColumns),
        nameof(_markDelayed), nameof(_markedId), nameof(_markedAs), nameof(_deleteDelayed), nameof(_deletedDelayed))]
    private void PrepareDelayed()
    {
        _deleteDelayed = Statement("DELETE FROM broker_delayed WHERE id = ANY ($1)");
        _deletedDelayed = _deleteDelayed.Array<Guid>(NpgsqlDbType.Uuid);
        _markDelayed = Statement(
            "UPDATE broker_delayed d SET message = m.message FROM unnest($1, $2) AS m (id, message) WHERE d.id = m.id");
        _markedId = _markDelayed.Array<Guid>(NpgsqlDbType.Uuid);
        _markedAs = _markDelayed.Array<Guid>(NpgsqlDbType.Uuid);

        // A new row, whose id was given a moment ago; there is one already only when the same write is tried again.
        _putDelayed = Statement(
            $"""
            INSERT INTO broker_delayed (owner, due, message, {PostgresRows.MessageNames})
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING
            """);
        _delayedOwner = _putDelayed.Array<long>(NpgsqlDbType.Bigint);
        _delayedDue = _putDelayed.Array<long>(NpgsqlDbType.Bigint);
        _delayedPublishedAs = _putDelayed.Array<Guid?>(NpgsqlDbType.Uuid);
        _delayedColumns = new MessageColumns(_putDelayed);
    }

    private void FillDelayed(PostgresBatch batch)
    {
        foreach (var (id, change) in batch.Delayed)
        {
            if (change.Row is { } row)
            {
                _delayedOwner.Add(Owner);
                _delayedDue.Add(row.Due);
                _delayedPublishedAs.Add(PostgresRows.NullableId(row.PublishedAs));
                _delayedColumns.Add(row.Message);
            }
            else if (change.PublishedAs is { } publishedAs)
            {
                _markedId.Add(PostgresRows.Id(id));
                _markedAs.Add(PostgresRows.Id(publishedAs));
                _markDelayed.IsUsed = true;
            }
            else
            {
                _deletedDelayed.Add(PostgresRows.Id(id));
                _deleteDelayed.IsUsed = true;
            }
        }
    }
}
