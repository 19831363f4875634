namespace Broker.Grains.Storage.Sqlite;

/// <summary>
/// Runs the statements of a batch inside an open transaction. Split by what the rows are about: sessions and what hangs on
/// them, and messages with their deliveries and references.
/// </summary>
internal sealed partial class SqliteBatchWriter : IDisposable
{
    private readonly SessionTable _known;
    private readonly SqliteDatabase _database;
    private readonly List<SqliteStatement> _statements = [];
    private readonly List<long> _removedSessions = [];
    private int _rows;

    /// <param name="database">The writer's connection.</param>
    /// <param name="known">Brought up to date when a batch is committed.</param>
    public SqliteBatchWriter(SqliteDatabase database, SessionTable known)
    {
        _database = database;
        _known = known;
        PrepareSessions();
        PrepareMessages();
        PrepareItems();
        PrepareDelayed();
        _referenceRows = database.Scalar("SELECT count(*) FROM message_reference");
        _highestMessage = database.Scalar("SELECT max(number) FROM message");
    }

    /// <summary>Writes everything in the batch.</summary>
    /// <returns>Rows inserted, replaced, changed or deleted.</returns>
    public int Write(StoreBatch batch)
    {
        _rows = 0;
        _current = batch;
        _removedSessions.Clear();
        _released.Clear();
        _newReferenceRows = 0;
        WriteSessions(batch);
        WriteDeliveries(batch);
        WriteMessages(batch);
        WriteReleases();
        WriteRetained(batch);
        WriteWills(batch);
        WriteItems(batch);
        WriteDelayed(batch);
        if (batch.LastAlive is { } lastAlive)
        {
            PutMeta(MetaNames.LastAlive, lastAlive);
        }

        return _rows;
    }

    /// <summary>The transaction is durable: what is known of the file follows.</summary>
    public void Committed(StoreBatch batch)
    {
        _referenceRows += _newReferenceRows;
        foreach (var removed in _removedSessions)
        {
            _known.Delete(removed);
        }

        foreach (var (number, row) in batch.Sessions)
        {
            if (row is not null)
            {
                _known.Put(number, row.Epoch);
            }
        }

        foreach (ref readonly var change in batch.Deliveries)
        {
            if (change.Kind == DeliveryChangeKind.Put)
            {
                _known.Stored(change.Row.Session, change.Row.Sequence);
            }
        }

        foreach (var number in batch.Messages.Keys)
        {
            _highestMessage = Math.Max(_highestMessage, number);
        }
    }

    /// <summary>Writes a meta row.</summary>
    public void PutMeta(string name, long value) => _rows += _putMeta.Bind(1, name).Bind(2, value).Execute();

    public void Dispose()
    {
        foreach (var statement in _statements)
        {
            statement.Dispose();
        }
    }

    private SqliteStatement Prepare(string sql)
    {
        var statement = _database.Prepare(sql);
        _statements.Add(statement);
        return statement;
    }
}
