using System.Diagnostics.CodeAnalysis;
using Broker.Grains.Messages;

namespace Broker.Grains.Storage.Sqlite;

/// <content>Delayed messages.</content>
internal sealed partial class SqliteReader
{
    private SqliteStatement _delayedSummary;
    private SqliteStatement _delayedKeys;
    private SqliteStatement _delayed;

    public DelayedSummary DelayedSummary()
    {
        try
        {
            return _delayedSummary.Step() ? new DelayedSummary(_delayedSummary.Int64(0), _delayedSummary.Int64(1)) : default;
        }
        finally
        {
            _delayedSummary.Reset();
        }
    }

    public List<DelayedKey> DelayedKeys(long after, long until, int limit)
    {
        var keys = new List<DelayedKey>();
        _delayedKeys.Bind(1, after).Bind(2, until).Bind(3, limit);
        try
        {
            while (_delayedKeys.Step())
            {
                keys.Add(new DelayedKey(
                    RowCodec.ReadId(_delayedKeys, 0),
                    _delayedKeys.Int64(1),
                    _delayedKeys.Text(2),
                    _delayedKeys.Int32(3),
                    RowCodec.ReadNullableId(_delayedKeys, 4)));
            }
        }
        finally
        {
            _delayedKeys.Reset();
        }

        return keys;
    }

    public Dictionary<MessageId, DelayedRow> Delayed(IReadOnlyCollection<MessageId> ids, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<MessageId, DelayedRow>(ids.Count);
        foreach (var id in ids)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (RowCodec.BindId(_delayed, 1, id).Step())
                {
                    rows[id] = new DelayedRow(
                        _delayed.Int64(0), RowCodec.ReadMessage(_delayed, 2), RowCodec.ReadNullableId(_delayed, 1));
                }
            }
            finally
            {
                _delayed.Reset();
            }
        }

        return rows;
    }

    [MemberNotNull(nameof(_delayedSummary), nameof(_delayedKeys), nameof(_delayed))]
    private void PrepareDelayed()
    {
        _delayedSummary = _database.Prepare("SELECT count(*), coalesce(sum(length(body)), 0) FROM delayed");
        _delayedKeys = _database.Prepare(
            "SELECT id, due, publisher, length(body), message FROM delayed WHERE due > ? AND due <= ? ORDER BY due, id LIMIT ?");
        _delayed = _database.Prepare($"SELECT due, message, {RowCodec.MessageColumns} FROM delayed WHERE id = ?");
    }

    private void DisposeDelayed()
    {
        _delayedSummary.Dispose();
        _delayedKeys.Dispose();
        _delayed.Dispose();
    }
}
