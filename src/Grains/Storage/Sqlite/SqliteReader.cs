using Broker.Grains.Messages;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>A read-only connection with its statements; used by one load at a time.</summary>
internal sealed partial class SqliteReader : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _session;
    private readonly SqliteStatement _deliveries;
    private readonly SqliteStatement _inbound;
    private readonly SqliteStatement _message;
    private readonly SqliteStatement _topic;
    private readonly SqliteStatement _topicCounts;
    private readonly SqliteStatement _items;
    private readonly SqliteStatement _item;
    private readonly SqliteStatement _deliveriesOf;

    public SqliteReader(string path, long cacheBytes)
    {
        _database = new SqliteDatabase(path, readOnly: true);
        _database.Execute($"PRAGMA busy_timeout = 5000; PRAGMA cache_size = {-Math.Max(1, cacheBytes / 1024)};");
        _session = _database.Prepare(
            "SELECT number, client_id, epoch, expiry_interval, expires_at, created_at, version, sent_up_to FROM session WHERE client_id = ?");
        _deliveries = _database.Prepare(
            "SELECT sequence, message, size, flags, expires_at, identifiers FROM delivery WHERE session = ? ORDER BY sequence");
        _inbound = _database.Prepare("SELECT packet_id FROM inbound WHERE session = ? ORDER BY packet_id");
        _message = _database.Prepare($"SELECT {RowCodec.MessageColumns} FROM message WHERE number = ?");
        _topic = _database.Prepare("SELECT substr(body, 1, topic_length), id FROM message WHERE number = ?");
        _deliveriesOf = _database.Prepare(
            """
            SELECT s.client_id, d.flags & 8, d.sequence FROM message m
            JOIN delivery d ON d.message = m.number JOIN session s ON s.number = d.session WHERE m.id = ?
            """);
        _items = _database.Prepare("SELECT key, rank, value FROM item WHERE kind = ? ORDER BY key");
        _item = _database.Prepare("SELECT rank, value FROM item WHERE kind = ? AND key = ?");
        _topicCounts = _database.Prepare(
            """
            SELECT substr(m.body, 1, m.topic_length), count(*) FROM delivery d
            JOIN message m ON m.number = d.message WHERE d.session = ? GROUP BY 1
            """);
        PrepareDelayed();
    }

    public SessionRow? Session(string clientId)
    {
        SessionRow? row = null;
        _session.Bind(1, clientId);
        while (_session.Step())
        {
            row = RowCodec.ReadSession(_session);
        }

        return row;
    }

    public List<DeliveryRow> Deliveries(long session, CancellationToken cancellationToken)
    {
        var rows = new List<DeliveryRow>();
        _deliveries.Bind(1, session);
        try
        {
            while (_deliveries.Step())
            {
                cancellationToken.ThrowIfCancellationRequested();
                rows.Add(RowCodec.ReadDelivery(_deliveries, session));
            }
        }
        finally
        {
            // An open read keeps the write-ahead log from starting over.
            _deliveries.Reset();
        }

        return rows;
    }

    public List<InboundRow> InboundIds(long session)
    {
        var ids = new List<InboundRow>();
        _inbound.Bind(1, session);
        while (_inbound.Step())
        {
            ids.Add(new InboundRow((ushort)_inbound.Int32(0), default));
        }

        return ids;
    }

    public Dictionary<long, ApplicationMessage> Messages(IReadOnlyList<long> numbers, CancellationToken cancellationToken)
    {
        var messages = new Dictionary<long, ApplicationMessage>(numbers.Count);

        // One transaction: one snapshot, and file locks once instead of for every message.
        _database.Execute("BEGIN");
        try
        {
            foreach (var number in numbers)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_message.Bind(1, number).Step())
                {
                    messages[number] = RowCodec.ReadMessage(_message, 0);
                    _message.Reset();
                }
            }
        }
        finally
        {
            _message.Reset();
            _database.Execute("COMMIT");
        }

        return messages;
    }

    public Dictionary<long, (MessageId Id, byte[] Topic)> Topics(IReadOnlyList<long> numbers, CancellationToken cancellationToken)
    {
        var topics = new Dictionary<long, (MessageId Id, byte[] Topic)>(numbers.Count);
        foreach (var number in numbers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_topic.Bind(1, number).Step())
            {
                topics[number] = (RowCodec.ReadId(_topic, 1), _topic.Blob(0).ToArray());
            }

            _topic.Reset();
        }

        return topics;
    }

    public List<(byte[] Topic, int Count)> TopicCounts(long session, CancellationToken cancellationToken)
    {
        var counts = new List<(byte[], int)>();
        _topicCounts.Bind(1, session);
        try
        {
            while (_topicCounts.Step())
            {
                cancellationToken.ThrowIfCancellationRequested();
                counts.Add((_topicCounts.Blob(0).ToArray(), _topicCounts.Int32(1)));
            }
        }
        finally
        {
            _topicCounts.Reset();
        }

        return counts;
    }

    public List<(string ClientId, bool IsReleased, long Sequence)> DeliveriesOf(MessageId id, CancellationToken cancellationToken)
    {
        var found = new List<(string, bool, long)>();
        RowCodec.BindId(_deliveriesOf, 1, id);
        try
        {
            while (_deliveriesOf.Step())
            {
                cancellationToken.ThrowIfCancellationRequested();
                found.Add((_deliveriesOf.Text(0), _deliveriesOf.Int32(1) != 0, _deliveriesOf.Int64(2)));
            }
        }
        finally
        {
            _deliveriesOf.Reset();
        }

        return found;
    }

    public List<ItemRow> Items(string kind)
    {
        var items = new List<ItemRow>();
        _items.Bind(1, kind);
        try
        {
            while (_items.Step())
            {
                items.Add(new ItemRow(kind, _items.Text(0), _items.Int32(1), _items.Blob(2).ToArray()));
            }
        }
        finally
        {
            _items.Reset();
        }

        return items;
    }

    public ItemRow? Item(string kind, string key)
    {
        ItemRow? row = null;
        _item.Bind(1, kind).Bind(2, key);
        while (_item.Step())
        {
            row = new ItemRow(kind, key, _item.Int32(0), _item.Blob(1).ToArray());
        }

        return row;
    }

    public void Dispose()
    {
        _session.Dispose();
        _deliveries.Dispose();
        _inbound.Dispose();
        _message.Dispose();
        _topic.Dispose();
        _topicCounts.Dispose();
        _items.Dispose();
        _item.Dispose();
        _deliveriesOf.Dispose();
        DisposeDelayed();
        _database.Dispose();
    }
}
