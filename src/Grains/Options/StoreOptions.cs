namespace Broker.Grains.Options;

/// <summary>How the durable store writes. Section <c>Broker:Store</c>.</summary>
public sealed class StoreOptions
{
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
