namespace Broker.Grains.Options;

/// <summary>Rules of a session: how long it lives, how much it holds. Section <c>Broker:Session</c>.</summary>
public sealed class SessionOptions
{
    /// <summary>How long a session of a 3.x client with Clean Session 0 outlives its connection. 0 ends it with the connection.</summary>
    [Allowed("0s", "never", WholeSeconds = true)]
    public TimeSpan SessionExpiry { get; set; } = TimeSpan.FromHours(48);

    /// <summary>Longest Session Expiry Interval granted to an MQTT 5.0 client; a longer request is cut to it.</summary>
    [Allowed("0s", "never", WholeSeconds = true)]
    public TimeSpan MaxSessionExpiry { get; set; } = TimeSpan.MaxValue;

    /// <summary>
    /// QoS 1 and 2 messages sent to a client and not yet acknowledged. MQTT 5.0 clients may ask for fewer with
    /// Receive Maximum. More gives throughput, 1 the strictest order.
    /// </summary>
    [Allowed("1", "65535")]
    public int MaxInflight { get; set; } = 100;

    /// <summary>Messages waiting in one session while its client is away or its window is full.</summary>
    [Allowed("0", "10000000", ZeroMeans = "unlimited")]
    public int MaxQueued { get; set; } = 1000;

    /// <summary>Bytes (topic, properties, payload) waiting in one session.</summary>
    [Size, Allowed("0", "1TiB", ZeroMeans = "unlimited")]
    public long MaxQueuedBytes { get; set; } = 32L << 20;

    /// <summary>What happens when either queue limit is reached.</summary>
    public QueueFullPolicy QueueFullPolicy { get; set; } = QueueFullPolicy.DropOldest;

    /// <summary>
    /// Priorities in session queues, <c>topic=priority,topic=priority</c>: a higher one leaves the queue first and is
    /// dropped last. Topics that are not named have 0.
    /// </summary>
    [AllowedText("topic=priority, separated by commas")]
    public string TopicPriorities { get; set; } = "";

    /// <summary>Whether QoS 0 messages wait for a client that is away; they wait in memory only.</summary>
    public bool QueueQos0 { get; set; } = true;

    /// <summary>
    /// Repeats an unacknowledged message to a connected 3.x client after this time, with DUP set.
    /// Never done for MQTT 5.0, which forbids it [MQTT-4.4.0-1].
    /// </summary>
    [Allowed("0s", "1d", ZeroMeans = "off")]
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>QoS 2 messages received from a client that still wait for its PUBREL.</summary>
    [Allowed("1", "65535")]
    public int MaxAwaitingRel { get; set; } = 100;

    /// <summary>
    /// How long such a packet identifier is remembered at least, after the last PUBLISH with it. Then another message may have it, or its
    /// place when <see cref="MaxAwaitingRel"/> is reached; a PUBLISH that is repeated with DUP is known until one of them comes.
    /// </summary>
    [Allowed("1s", "30d")]
    public TimeSpan AwaitRelTimeout { get; set; } = TimeSpan.FromSeconds(300);

    /// <summary>
    /// After a restart that followed a crash: how long Wills of the clients that were connected wait for their clients to
    /// come back, and for subscribers to be there.
    /// </summary>
    [Allowed("0s", "1h", ZeroMeans = "published at once")]
    public TimeSpan WillGraceAfterRestart { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Share of <see cref="MaxQueued"/> above which the session's queue counts as high.</summary>
    [Allowed("0", "1")]
    public double HighWatermark { get; set; } = 0.6;

    /// <summary>Share of <see cref="MaxQueued"/> below which a high queue counts as normal again.</summary>
    [Allowed("0", "1")]
    public double LowWatermark { get; set; } = 0.2;
}
