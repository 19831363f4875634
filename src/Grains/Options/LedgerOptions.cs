namespace Broker.Grains.Options;

/// <summary>How much the loss ledger remembers; what it forgets stays in the counts by reason. Section <c>Broker:Ledger</c>.</summary>
public sealed class LedgerOptions
{
    /// <summary>Combinations of client, topic and reason that are remembered; the one that is longest without a drop is forgotten first.</summary>
    [Allowed("1", "10000000")]
    public int MaxEntries { get; set; } = 10_000;

    /// <summary>Memory for them, topics and client identifiers included, also of the latest drops that are remembered one by one.</summary>
    [Size, Allowed("4KiB", "16GiB")]
    public long MaxBytes { get; set; } = 8L << 20;

    /// <summary>Latest acknowledgements that are remembered, for the question what became of a message: some 40 bytes each.</summary>
    [Allowed("0", "100000000", ZeroMeans = "none")]
    public int MaxAcknowledgements { get; set; } = 65_536;
}
