using System.Diagnostics.CodeAnalysis;

namespace Broker.Grains.Storage.Sqlite;

/// <content>Items.</content>
internal sealed partial class SqliteBatchWriter
{
    private SqliteStatement _putItem;
    private SqliteStatement _deleteItem;

    [MemberNotNull(nameof(_putItem), nameof(_deleteItem))]
    private void PrepareItems()
    {
        _putItem = Prepare(
            """
            INSERT INTO item (kind, key, rank, value) VALUES (?, ?, ?, ?)
            ON CONFLICT (kind, key) DO UPDATE SET rank = excluded.rank, value = excluded.value WHERE excluded.rank >= item.rank
            """);
        _deleteItem = Prepare("DELETE FROM item WHERE kind = ? AND key = ?");
    }

    private void WriteItems(StoreBatch batch)
    {
        foreach (var ((kind, key), row) in batch.Items)
        {
            _rows += row is null
                ? _deleteItem.Bind(1, kind).Bind(2, key).Execute()
                : _putItem.Bind(1, kind).Bind(2, key).Bind(3, row.Rank).Bind(4, row.Value).Execute();
        }
    }
}
