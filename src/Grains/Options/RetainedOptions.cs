namespace Broker.Grains.Options;

/// <summary>What the store of retained messages accepts. Section <c>Broker:Retained</c>.</summary>
public sealed class RetainedOptions
{
    /// <summary>Largest message (topic, properties, payload) that is kept; a larger one is delivered and not kept.</summary>
    [Size, Allowed("0", "256MiB", ZeroMeans = "unlimited")]
    public int MaxMessageBytes { get; set; } = 64 << 10;

    /// <summary>Number of retained messages.</summary>
    [Allowed("0", "1000000000", ZeroMeans = "unlimited")]
    public int MaxCount { get; set; } = 0;

    /// <summary>Bytes of all retained messages together.</summary>
    [Size, Allowed("0", "1PiB", ZeroMeans = "unlimited")]
    public long MaxTotalBytes { get; set; } = 0;
}
