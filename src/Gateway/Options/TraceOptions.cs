using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>Traces of a client, of addresses or of topics, which an administrator starts and stops. Section <c>Broker:Trace</c>.</summary>
public sealed class TraceOptions
{
    /// <summary>
    /// Folder of the files; not set: <c>traces</c> in the data folder. Created for the first trace; a silo of a cluster has a folder of its own in it.
    /// </summary>
    [AllowedText("a folder")]
    public string? Directory { get; set; }

    /// <summary>Traces of a silo, those included that have ended and whose file is still there.</summary>
    // 64 is what a word has bits for: which of them an event is for.
    [Allowed("1", "64")]
    public int MaxCount { get; set; } = 16;

    /// <summary>Bytes of one file; a trace that has written as much ends.</summary>
    [Size, Allowed("4KiB", "16GiB")]
    public long MaxFileSize { get; set; } = 16 << 20;

    /// <summary>How long a trace may be asked to go on.</summary>
    [Allowed("1s", "30d", WholeSeconds = true)]
    public TimeSpan MaxDuration { get; set; } = TimeSpan.FromDays(1);
}
