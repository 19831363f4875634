namespace Broker.Grains.Edges;

/// <summary>Bounds of an edge.</summary>
public sealed record EdgeOptions
{
    /// <summary>Items that may wait, those in flight included.</summary>
    public int MaxItems { get; init; } = 10_000;

    /// <summary>Bytes that may wait, those in flight included. The item that crosses the bound is taken, the next is not.</summary>
    public long MaxBytes { get; init; } = 16 << 20;

    /// <summary>Items of one call. Beyond 1,000 a call costs no less per item and holds up the next one longer.</summary>
    public int MaxBatchItems { get; init; } = 1_000;

    /// <summary>Bytes of one call; a larger item goes alone.</summary>
    public int MaxBatchBytes { get; init; } = 1 << 20;

    /// <summary>Wait after the first failure of a batch; it doubles with each further one.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Longest wait between two attempts: short beside the two seconds in which a dead silo is found dead.</summary>
    public TimeSpan LastRetry { get; init; } = TimeSpan.FromMilliseconds(500);
}
