namespace Broker.Grains.Storage.Sqlite;

/// <summary>
/// The writer's side of a database file: transactions, checkpoints, and giving space back. Used by the writer's thread only,
/// except for the numbers.
/// </summary>
internal sealed class SqliteCommitTarget : ICommitTarget, IDisposable
{
    // So many numbers between two writes of a mark; a start skips what is left of them.
    private const long MessageBlock = 1 << 20;
    private const long SessionBlock = 1 << 12;

    private readonly SqliteDatabase _database;
    private readonly StoreBatch _batch;
    private readonly SqliteBatchWriter _writer;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _rollback;
    private readonly SqliteSpace _space;

    public SqliteCommitTarget(SqliteDatabase database, SessionTable known, SqliteStoreOptions options)
    {
        _database = database;
        _batch = new StoreBatch(known);
        _writer = new SqliteBatchWriter(database, known);
        _begin = database.Prepare("BEGIN IMMEDIATE");
        _commit = database.Prepare("COMMIT");
        _rollback = database.Prepare("ROLLBACK");
        _space = new SqliteSpace(database, options);
        MessageNumbers = Sequence(MetaNames.MessageMark, MessageBlock);
        SessionNumbers = Sequence(MetaNames.SessionMark, SessionBlock);
    }

    public NumberSequence MessageNumbers { get; }

    public NumberSequence SessionNumbers { get; }

    public IStoreBatch Begin()
    {
        _batch.Clear();
        return _batch;
    }

    public int Commit(bool mustTouchDisk)
    {
        if (_batch.IsEmpty && !mustTouchDisk)
        {
            return 0;
        }

        try
        {
            _begin.Execute();
            var rows = _writer.Write(_batch);
            var messageMark = WriteMark(MessageNumbers);
            var sessionMark = WriteMark(SessionNumbers);
            if (mustTouchDisk)
            {
                _writer.PutMeta(MetaNames.Probe, Environment.TickCount64);
            }

            _commit.Execute();
            _writer.Committed(_batch);
            Marked(MessageNumbers, messageMark);
            Marked(SessionNumbers, sessionMark);
            return rows;
        }
        catch
        {
            Abandon();
            throw;
        }
    }

    public bool IsPermanent(Exception error) =>
        error is SqliteFault { IsPermanent: true } or not (StoreException or OutOfMemoryException);

    public void AfterCommit() => _space.AfterCommit();

    public bool RunIdleStep() => _space.RunIdleStep();

    public void Dispose()
    {
        _writer.Dispose();
        _begin.Dispose();
        _commit.Dispose();
        _rollback.Dispose();
    }

    private NumberSequence Sequence(string name, long block)
    {
        using var statement = _database.Prepare("SELECT value FROM meta WHERE name = ?");
        var mark = statement.Bind(1, name).Step() ? statement.Int64(0) : 0;
        return new NumberSequence(name, block, mark);
    }

    private long? WriteMark(NumberSequence numbers)
    {
        var mark = numbers.Mark();
        if (mark is { } value)
        {
            _writer.PutMeta(numbers.Name, value);
        }

        return mark;
    }

    private static void Marked(NumberSequence numbers, long? mark)
    {
        if (mark is { } value)
        {
            numbers.Marked(value);
        }
    }

    private void Abandon()
    {
        if (!_database.IsAutoCommit)
        {
            try
            {
                _rollback.Execute();
            }
            catch (SqliteFault)
            {
                // The error that led here says more; what is left of the transaction ends with the next BEGIN's failure.
            }
        }

        // A full log that could be emptied frees the space that the next attempt needs.
        _space.TryCheckpoint();
    }
}
