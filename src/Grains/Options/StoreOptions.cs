namespace Broker.Grains.Options;

/// <summary>How the durable store writes. Section <c>Broker:Store</c>.</summary>
public sealed class StoreOptions
{
    /// <summary>Sqlite: a file in the data folder, one silo. Postgres: the database that a cluster shares.</summary>
    public StoreKind Kind { get; set; } = StoreKind.Sqlite;

    /// <summary>Npgsql connection string of the cluster's database; needed by Postgres, not used by Sqlite.</summary>
    [Secret, AllowedText("an Npgsql connection string: Host=...;Database=...;Username=...;Password=...")]
    public string? ConnectionString { get; set; }

    /// <summary>
    /// How long the first start waits for a PostgreSQL that does not answer. A silo that joins again waits as long as it takes.
    /// </summary>
    [Allowed("0s", "7d", ZeroMeans = "not at all")]
    public TimeSpan WaitAtStart { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether an acknowledged message outlives a power loss (Full) or only the broker's own death (Normal).</summary>
    public StoreSynchronous Synchronous { get; set; } = StoreSynchronous.Full;

    /// <summary>Bytes posted and not yet committed. Beyond it the broker stops reading from its publishers.</summary>
    [Size, Allowed("64KiB", "16GiB")]
    public long MaxPendingBytes { get; set; } = 64L << 20;

    /// <summary>
    /// How long a message to a connected durable session waits for the subscriber's acknowledgement before its row is
    /// written. An acknowledgement within it spares the write; the publisher waits as long.
    /// </summary>
    [Allowed("0s", "10s", ZeroMeans = "written at once")]
    public TimeSpan AckGrace { get; set; } = TimeSpan.FromMilliseconds(100);
}
