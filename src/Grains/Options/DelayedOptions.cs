namespace Broker.Grains.Options;

/// <summary>Messages that clients want to be published later (<c>$delayed/SECONDS/TOPIC</c>). Section <c>Broker:Delayed</c>.</summary>
public sealed class DelayedOptions
{
    /// <summary>Messages that may wait on one silo; further ones are refused (0x97) and counted. What is taken over from a dead silo may go over it.</summary>
    [Allowed("0", "100000000", ZeroMeans = "no message may be delayed")]
    public int MaxMessages { get; set; } = 100_000;

    /// <summary>Bytes of topics, properties and payloads that may wait on one silo. They are in the store, not in memory.</summary>
    [Size, Allowed("0", "1PiB", ZeroMeans = "unlimited")]
    public long MaxBytes { get; set; } = 1L << 30;
}
