namespace Broker.Grains.Storage.Postgres;

/// <summary>Settings of <see cref="PostgresMessageStore"/>.</summary>
public sealed class PostgresStoreOptions
{
    /// <summary>Npgsql connection string. Timeouts, pooling and prepared statements are set by the store.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// Several silos share the database: each loads only the sessions that it takes, and a process whose number was taken
    /// away does not come back under another one.
    /// </summary>
    public bool IsShared { get; set; }

    /// <summary>Above so many bytes posted and uncommitted the store says that it is congested. At least 1 MiB.</summary>
    public long MaximumPendingBytes { get; set; } = 64L * 1024 * 1024;

    /// <summary>Above so many writes posted and uncommitted the store says that it is congested. At least 1,000.</summary>
    public int MaximumPendingWrites { get; set; } = 100_000;

    /// <summary>Writes in one transaction: bounds how long an acknowledgement waits behind others. At least 1.</summary>
    public int MaximumBatchWrites { get; set; } = 8192;

    /// <summary>Bytes in one transaction; a single larger write goes alone.</summary>
    public long MaximumBatchBytes { get; set; } = 16L * 1024 * 1024;

    /// <summary>Connections for reading; so many loads run at the same time. 1 to 64.</summary>
    public int Readers { get; set; } = 4;

    /// <summary>Time to connect and log in. In whole seconds, at least 1.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Time for a transaction or a load. A server that is silent for longer counts as lost. In whole seconds, at least 1.
    /// </summary>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long what is to be committed waits for a server that fails before it is refused: long enough for its restart, shorter
    /// than the patience of clients that connect.
    /// </summary>
    public TimeSpan OutagePatience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long durable work is refused on after an outage in which some was: longer than what a publisher has sent is under way.
    /// </summary>
    public TimeSpan RecoveryPause { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a node number stays reserved for a silo that is not heard of. At least 10 seconds.</summary>
    public TimeSpan NodeLease { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Sessions that the writer remembers, about 60 bytes each; beyond it forgets all and asks again.</summary>
    public int MaximumKnownSessions { get; set; } = 2_000_000;
}
