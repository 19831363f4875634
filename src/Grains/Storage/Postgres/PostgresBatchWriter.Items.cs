using System.Diagnostics.CodeAnalysis;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <content>Items, in the order of their keys, as no lock of a session protects them.</content>
internal sealed partial class PostgresBatchWriter
{
    private PostgresStatement _putItem;
    private List<string> _itemKind;
    private List<string> _itemKey;
    private List<int> _itemRank;
    private List<byte[]> _itemValue;
    private PostgresStatement _deleteItem;
    private List<string> _deletedItemKind;
    private List<string> _deletedItemKey;

    [MemberNotNull(
        nameof(_putItem), nameof(_itemKind), nameof(_itemKey), nameof(_itemRank), nameof(_itemValue), nameof(_deleteItem),
        nameof(_deletedItemKind), nameof(_deletedItemKey))]
    private void PrepareItems()
    {
        _deleteItem = Statement(
            """
            DELETE FROM broker_item WHERE ctid = ANY (ARRAY(
                SELECT p.place FROM unnest($1, $2) AS r (kind, key)
                CROSS JOIN LATERAL (SELECT ctid AS place FROM broker_item WHERE kind = r.kind AND key = r.key OFFSET 0) p))
            """);
        _deletedItemKind = _deleteItem.Array<string>(NpgsqlDbType.Text);
        _deletedItemKey = _deleteItem.Array<string>(NpgsqlDbType.Text);
        _putItem = Statement(
            """
            INSERT INTO broker_item AS i (kind, key, rank, value) SELECT * FROM unnest($1, $2, $3, $4)
            ON CONFLICT (kind, key) DO UPDATE SET rank = excluded.rank, value = excluded.value WHERE excluded.rank >= i.rank
            """);
        _itemKind = _putItem.Array<string>(NpgsqlDbType.Text);
        _itemKey = _putItem.Array<string>(NpgsqlDbType.Text);
        _itemRank = _putItem.Array<int>(NpgsqlDbType.Integer);
        _itemValue = _putItem.Array<byte[]>(NpgsqlDbType.Bytea);
    }

    private void FillItems(PostgresBatch batch)
    {
        if (batch.Items.Count == 0)
        {
            return;
        }

        foreach (var (kind, key) in batch.Items.Keys.OrderBy(static k => k.Kind, StringComparer.Ordinal).ThenBy(static k => k.Key, StringComparer.Ordinal))
        {
            if (batch.Items[(kind, key)] is { } row)
            {
                _itemKind.Add(kind);
                _itemKey.Add(key);
                _itemRank.Add(row.Rank);
                _itemValue.Add(row.Value);
                _putItem.IsUsed = true;
            }
            else
            {
                _deletedItemKind.Add(kind);
                _deletedItemKey.Add(key);
                _deleteItem.IsUsed = true;
            }
        }
    }
}
