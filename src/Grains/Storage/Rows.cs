using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Grains.Storage;

/// <summary>A durable session (Session Expiry Interval above 0, or Clean Session 0).</summary>
/// <param name="Number">Store's key; a session that starts clean gets a new one.</param>
/// <param name="Epoch">Owner's number, raised by every CONNECT.</param>
/// <param name="ExpiryInterval">Session Expiry Interval in seconds; <see cref="uint.MaxValue"/> is never.</param>
/// <param name="ExpiresAt">Milliseconds since 1970; null while connected or when it never expires.</param>
/// <param name="Version">Protocol version of the last connection.</param>
/// <param name="SentUpTo">Highest sequence that was sent; null while connected, when only the silo knows.</param>
public sealed record SessionRow(
    long Number, string ClientId, long Epoch, uint ExpiryInterval, long? ExpiresAt, long CreatedAt, ProtocolVersion Version,
    long? SentUpTo = null);

/// <summary>A subscription of a durable session.</summary>
/// <param name="Options">Subscription Options byte of SUBSCRIBE (MQTT 5.0 section 3.8.3.1), QoS as granted.</param>
/// <param name="Identifier">Subscription Identifier; 0 when none.</param>
public sealed record SubscriptionRow(long Session, string Filter, byte Options, uint Identifier);

/// <summary>A message that a durable session has yet to acknowledge.</summary>
/// <param name="Sequence">Position in the session; also gives the packet id.</param>
/// <param name="Message">Number of the message's row.</param>
/// <param name="Size">Message size in bytes, for the queue's byte limit.</param>
/// <param name="Qos">QoS of this delivery: 1 or 2.</param>
/// <param name="Retain">RETAIN flag of this delivery.</param>
/// <param name="Released">QoS 2 only: PUBREC arrived, PUBREL is due.</param>
/// <param name="ExpiresAt">Milliseconds since 1970; <see cref="long.MaxValue"/> when never.</param>
/// <param name="SubscriptionIdentifiers">Of all matching subscriptions; empty when none.</param>
public readonly record struct DeliveryRow(
    long Session,
    long Sequence,
    long Message,
    int Size,
    QualityOfService Qos,
    bool Retain,
    bool Released,
    long ExpiresAt,
    uint[] SubscriptionIdentifiers)
{
    /// <summary>
    /// Id of a message that its publisher may publish again through another silo: the row says that the session has it.
    /// <see cref="MessageId.None"/> for any other, and in a store that only one silo uses.
    /// </summary>
    public MessageId InDoubt { get; init; }
}

/// <summary>A QoS 2 packet id of a client that waits for PUBREL.</summary>
/// <param name="InDoubt">
/// Id under which the publish has gone to other silos, of which nobody knows here whether all have it;
/// <see cref="MessageId.None"/> when the row says that everything is done.
/// </param>
public readonly record struct InboundRow(ushort PacketId, MessageId InDoubt);

/// <summary>The Will of a connected client, kept until its connection ends.</summary>
/// <param name="DelayInterval">Will Delay Interval in seconds, or Session Expiry Interval if that is shorter.</param>
/// <param name="PublishAt">Milliseconds since 1970 once the connection has ended; null while it lives.</param>
public sealed record WillRow(string ClientId, ApplicationMessage Message, uint DelayInterval, long? PublishAt);

/// <summary>A retained message.</summary>
/// <param name="Number">Given when the topic first got one; ascending, so a replay can be resumed after it.</param>
public sealed record RetainedRow(string Topic, long Number, ApplicationMessage Message)
{
    /// <summary>The topic was cleared; of the message there is only its id.</summary>
    public bool IsCleared => Message.Payload.IsEmpty;
}

/// <summary>A replay of retained messages that had not been queued whole.</summary>
/// <param name="AfterNumber">Number of the last place that was queued.</param>
/// <param name="UpTo">Highest id among the messages that it began with; <see cref="MessageId.None"/> in a row of an earlier version.</param>
public sealed record ReplayRow(long Session, string Filter, long AfterNumber, MessageId UpTo = default);

/// <summary>What a silo must know before its first connection.</summary>
/// <param name="LastAlive">When the broker was last known to run, in milliseconds since 1970; null for a new store.</param>
/// <param name="Queues">What waits for each session that has anything waiting, by session number.</param>
public sealed record RecoveredState(
    long? LastAlive,
    IReadOnlyList<SessionRow> Sessions,
    IReadOnlyList<SubscriptionRow> Subscriptions,
    IReadOnlyList<RetainedRow> Retained,
    IReadOnlyList<WillRow> Wills,
    IReadOnlyList<ReplayRow> Replays,
    IReadOnlyDictionary<long, QueueSummary> Queues)
{
    /// <summary>Nothing.</summary>
    public static RecoveredState Empty { get; } = new(null, [], [], [], [], [], new Dictionary<long, QueueSummary>());

    /// <summary>Each session with what belongs to it, by its number.</summary>
    public Dictionary<long, RecoveredState> BySession()
    {
        var subscriptions = Subscriptions.ToLookup(static s => s.Session);
        var replays = Replays.ToLookup(static r => r.Session);
        return Sessions.ToDictionary(static s => s.Number, session => this with
        {
            Sessions = [session],
            Subscriptions = [.. subscriptions[session.Number]],
            Replays = [.. replays[session.Number]],
        });
    }
}

/// <summary>The deliveries of a session, without loading them.</summary>
/// <param name="Bytes">Sum of the message sizes.</param>
/// <param name="LastSequence">Highest sequence in use.</param>
public readonly record struct QueueSummary(int Count, long Bytes, long LastSequence);
