using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>Events told to an HTTP server. Section <c>Broker:Webhook</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Where events are posted; not set: nowhere.</summary>
    [AllowedText("an http:// or https:// address, or nothing")]
    public string Url { get; set; } = "";

    /// <summary>Events that are told, separated by commas; <c>*</c> is all of them.</summary>
    [AllowedText("names of events, separated by commas, or *")]
    public string Events { get; set; } =
        "client.connected,client.disconnected,session.created,session.resumed,session.taken_over,session.expired,message.dropped";

    /// <summary>Token for <c>Authorization: Bearer</c>.</summary>
    [Secret, AllowedText("a text, or nothing")]
    public string? Token { get; set; }

    /// <summary>File of the certificates (PEM) that may have signed the server's; not set: those that the system trusts.</summary>
    [AllowedText("a file, or nothing")]
    public string CaFile { get; set; } = "";

    /// <summary>Most events in one request. Requests are made one after the other; what comes meanwhile is in the next.</summary>
    [Allowed("1", "10000")]
    public int MaxBatch { get; set; } = 500;

    /// <summary>Events that wait; the next ones are lost and counted.</summary>
    [Allowed("1", "10000000")]
    public int MaxQueued { get; set; } = 10_000;

    /// <summary>Bytes that the events that wait take in memory, about.</summary>
    [Size, Allowed("64KiB", "16GiB")]
    public long MaxQueuedBytes { get; set; } = 16L << 20;

    /// <summary>Time for one request.</summary>
    [Allowed("100ms", "10m")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a batch is tried again before it is lost and counted; pauses between attempts grow from 100 ms to 30 s.</summary>
    [Allowed("0s", "1d", ZeroMeans = "once only")]
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromMinutes(10);
}
