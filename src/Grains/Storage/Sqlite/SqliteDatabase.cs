using SQLitePCL;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>
/// One connection, used by one thread at a time. It goes to SQLite's own interface rather than through ADO.NET: a prepared
/// statement with bound slices costs a tenth of a command with boxed parameters, and the store binds several per message.
/// </summary>
internal sealed class SqliteDatabase : IDisposable
{
    private readonly sqlite3 _handle;

    static SqliteDatabase() => Batteries_V2.Init();

    public SqliteDatabase(string path, bool readOnly)
    {
        // NOMUTEX: each connection has one user at a time, so SQLite need not lock on every call.
        var access = readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE;
        var code = raw.sqlite3_open_v2(path, out _handle, access | raw.SQLITE_OPEN_NOMUTEX, null);
        if (code != raw.SQLITE_OK)
        {
            var fault = Fault(code);
            _handle.Dispose();
            throw fault;
        }

        raw.sqlite3_extended_result_codes(_handle, 1);
    }

    /// <summary>Rows that the last statement changed.</summary>
    public int Changes => raw.sqlite3_changes(_handle);

    /// <summary>False inside a transaction; SQLite ends one by itself on some errors.</summary>
    public bool IsAutoCommit => raw.sqlite3_get_autocommit(_handle) != 0;

    /// <summary>Pages written to the write-ahead log by this connection since it was opened.</summary>
    public long PagesWritten
    {
        get
        {
            raw.sqlite3_db_status(_handle, raw.SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, 0);
            return pages;
        }
    }

    public SqliteStatement Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var statement));
        return new SqliteStatement(this, statement);
    }

    /// <summary>Runs statements that return nothing of interest.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>The first column of the first row.</summary>
    public long Scalar(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() ? statement.Int64(0) : 0;
    }

    /// <summary>Copies the write-ahead log back into the file as far as readers allow.</summary>
    /// <returns>Frames that are left in the log.</returns>
    public int Checkpoint(int mode)
    {
        var code = raw.sqlite3_wal_checkpoint_v2(_handle, null, mode, out var frames, out var copied);
        if (code != raw.SQLITE_BUSY)
        {
            Check(code);
        }

        return frames - copied;
    }

    public void Check(int code)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            throw Fault(code);
        }
    }

    public void Dispose() => _handle.Dispose();

    private SqliteFault Fault(int code) => new(code, raw.sqlite3_errmsg(_handle).utf8_to_string());
}
