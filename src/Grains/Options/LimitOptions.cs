namespace Broker.Grains.Options;

/// <summary>What one client may ask of the broker. Section <c>Broker:Limits</c>.</summary>
public sealed class LimitOptions
{
    /// <summary>
    /// Largest packet accepted, fixed header included. MQTT 5.0 clients learn it as Maximum Packet Size; the most is what
    /// the Remaining Length field can say.
    /// </summary>
    [Size, Allowed("1KiB", "268435460")]
    public int MaxPacketSize { get; set; } = 1 << 20;

    /// <summary>Longest Client Identifier in bytes of UTF-8.</summary>
    [Allowed("23", "65535")]
    public int MaxClientIdLength { get; set; } = 1024;

    /// <summary>
    /// Time from the opening of a connection to the end of its CONNECT packet and of the AUTH packets that follow it; also
    /// the time that a re-authentication may take.
    /// </summary>
    [Allowed("100ms", "10m")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Clients whose sessions are looked for at a time, on one silo. Others wait for their turn, for <see cref="ConnectTimeout"/> at most,
    /// and are told Server busy (0x89; Server unavailable in 3.x) then.
    /// </summary>
    [Allowed("1", "100000")]
    public int MaxConnecting { get; set; } = 1000;

    /// <summary>A silent client is disconnected after its Keep Alive times this [MQTT-3.1.2-22].</summary>
    [Allowed("1", "10")]
    public double KeepAliveFactor { get; set; } = 1.5;

    /// <summary>Longest Keep Alive for MQTT 5.0 clients, told to them as Server Keep Alive.</summary>
    [Allowed("0s", "65535s", ZeroMeans = "the client's own", WholeSeconds = true)]
    public TimeSpan MaxKeepAlive { get; set; } = TimeSpan.Zero;

    /// <summary>QoS 1 and 2 messages accepted from one client before the first of them is acknowledged.</summary>
    [Allowed("1", "65535")]
    public int ReceiveMaximum { get; set; } = 1000;

    /// <summary>
    /// Topic aliases an MQTT 5.0 client may define on its connection, and the most that are used towards it, as far as its own
    /// Topic Alias Maximum goes.
    /// </summary>
    [Allowed("0", "65535", ZeroMeans = "none")]
    public int TopicAliasMaximum { get; set; } = 32;

    /// <summary>Levels of a topic name or filter.</summary>
    [Allowed("1", "1024")]
    public int MaxTopicLevels { get; set; } = 128;

    /// <summary>Bytes of UTF-8 of a topic name or filter.</summary>
    [Allowed("16", "65535")]
    public int MaxTopicLength { get; set; } = 4096;

    /// <summary>Subscriptions one client may hold; a SUBSCRIBE beyond it is refused with Quota exceeded (0x97).</summary>
    [Allowed("0", "10000000", ZeroMeans = "unlimited")]
    public int MaxSubscriptionsPerClient { get; set; } = 0;

    /// <summary>
    /// Bytes that may wait for a client that does not read, besides as many in the transport's buffer. QoS 0 messages beyond it are dropped
    /// and counted.
    /// </summary>
    [Size, Allowed("4KiB", "1GiB")]
    public int OutboundBufferBytes { get; set; } = 1 << 20;
}
