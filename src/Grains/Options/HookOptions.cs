namespace Broker.Grains.Options;

/// <summary>How much hooks may cost. Section <c>Broker:Hooks</c>.</summary>
public sealed class HookOptions
{
    /// <summary>How long one call of a hook may take; then the broker goes on without its answer.</summary>
    [Allowed("1ms", "10m")]
    public TimeSpan TimeLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Calls of one hook at a time, those that have exceeded their time included. Further ones wait within their time limit.</summary>
    [Allowed("1", "10000")]
    public int MaxConcurrentCalls { get; set; } = 32;

    /// <summary>Events that may wait for one hook; the next ones are not told to it, and counted.</summary>
    [Allowed("1", "10000000")]
    public int MaxQueuedEvents { get; set; } = 10_000;

    /// <summary>Bytes that the events that wait for one hook may take in memory, about: payloads, topics and names.</summary>
    [Size, Allowed("64KiB", "16GiB")]
    public long MaxQueuedBytes { get; set; } = 16L << 20;
}
