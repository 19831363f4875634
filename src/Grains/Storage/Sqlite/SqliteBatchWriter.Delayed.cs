using System.Diagnostics.CodeAnalysis;

namespace Broker.Grains.Storage.Sqlite;

/// <content>Delayed messages.</content>
internal sealed partial class SqliteBatchWriter
{
    private SqliteStatement _putDelayed;
    private SqliteStatement _markDelayed;
    private SqliteStatement _deleteDelayed;

    [MemberNotNull(nameof(_putDelayed), nameof(_markDelayed), nameof(_deleteDelayed))]
    private void PrepareDelayed()
    {
        _putDelayed = Prepare(
            $"INSERT OR REPLACE INTO delayed (due, message, {RowCodec.MessageColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        _markDelayed = Prepare("UPDATE delayed SET message = ? WHERE id = ?");
        _deleteDelayed = Prepare("DELETE FROM delayed WHERE id = ?");
    }

    private void WriteDelayed(StoreBatch batch)
    {
        foreach (var (id, change) in batch.Delayed)
        {
            if (change.Row is { } row)
            {
                _rows += RowCodec.BindMessage(
                    RowCodec.BindNullableId(_putDelayed.Bind(1, row.Due), 2, row.PublishedAs), 3, row.Message).Execute();
            }
            else
            {
                _rows += change.PublishedAs is { } publishedAs
                    ? RowCodec.BindId(RowCodec.BindId(_markDelayed, 1, publishedAs), 2, id).Execute()
                    : RowCodec.BindId(_deleteDelayed, 1, id).Execute();
            }
        }
    }
}
