namespace Broker.Grains.Storage.Sqlite;

/// <summary>Settings of <see cref="SqliteMessageStore"/>.</summary>
public sealed class SqliteStoreOptions
{
    /// <summary>The database file. Its folder is created, and locked while the store is open.</summary>
    public string Path { get; set; } = "data/broker.db";

    /// <summary>What an acknowledgement is worth when the power fails.</summary>
    public SqliteSynchronous Synchronous { get; set; } = SqliteSynchronous.Full;

    /// <summary>Above so many bytes posted and uncommitted the store says that it is congested. At least 1 MiB.</summary>
    public long MaximumPendingBytes { get; set; } = 64L * 1024 * 1024;

    /// <summary>Above so many writes posted and uncommitted the store says that it is congested. At least 1,000.</summary>
    public int MaximumPendingWrites { get; set; } = 100_000;

    /// <summary>Writes in one transaction: bounds how long an acknowledgement waits behind others. At least 1.</summary>
    public int MaximumBatchWrites { get; set; } = 8192;

    /// <summary>Bytes in one transaction; a single larger write goes alone. Bounds the write-ahead log.</summary>
    public long MaximumBatchBytes { get; set; } = 16L * 1024 * 1024;

    /// <summary>Page cache of the writer in bytes. Each of the readers has an eighth of it.</summary>
    public long CacheBytes { get; set; } = 32L * 1024 * 1024;

    /// <summary>Connections for reading; so many loads run at the same time. 1 to 16.</summary>
    public int Readers { get; set; } = 2;

    /// <summary>The write-ahead log is copied back into the file when it has grown by so many bytes.</summary>
    public long CheckpointBytes { get; set; } = 32L * 1024 * 1024;

    /// <summary>Free space inside the file that is kept rather than returned to the file system.</summary>
    public long FreeBytesKept { get; set; } = 1024 * 1024;
}
