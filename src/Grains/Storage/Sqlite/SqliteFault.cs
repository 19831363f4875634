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

    /// <summary>
    /// The row is at fault, not the file or the disk: it fails whenever it is tried. Only codes that say so beyond doubt,
    /// because a write that fails like this is dropped even if it must succeed.
    /// </summary>
    public bool IsPermanent => PrimaryCode is raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_TOOBIG;

    /// <inheritdoc />
    public override bool IsFull => PrimaryCode == raw.SQLITE_FULL;

    public bool IsCorruption => PrimaryCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;
}
