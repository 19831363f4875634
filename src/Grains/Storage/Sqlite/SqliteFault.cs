using SQLitePCL;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>An error that SQLite reported.</summary>
internal sealed class SqliteFault : StoreException
{
    public SqliteFault(int code, string message)
        : base($"SQLite error {code}: {message}") => Code = code;

    /// <summary>Extended result code.</summary>
    public int Code { get; }

    /// <summary>Result code without its extension.</summary>
    public int PrimaryCode => Code & 0xFF;

    /// <summary>The statement is at fault, not the file or the disk: it fails whenever it is tried.</summary>
    public bool IsPermanent => PrimaryCode is raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_TOOBIG
        or raw.SQLITE_RANGE or raw.SQLITE_MISUSE or raw.SQLITE_ERROR;

    public bool IsCorruption => PrimaryCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;
}
