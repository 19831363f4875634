using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>
/// One message on its way to one session. It stands in the session's queue, then in its in-flight list, and takes part in
/// a <see cref="PublishRecord"/> when the session is durable. Guarded by the session's lock but for <see cref="_rowState"/>.
/// </summary>
public class Delivery
{
    // Packet identifiers are 1..65535 [MQTT-2.2.1-4].
    private const int PacketIdCount = 65_535;

    private int _rowState = (int)RowState.None;

    public required Session Session { get; init; }

    /// <summary>Position in the session, ascending; 0 for QoS 0, which has none.</summary>
    public long Sequence { get; init; }

    public QualityOfService Qos { get; init; }

    /// <summary>RETAIN flag towards the client.</summary>
    public bool Retain { get; init; }

    /// <summary>Topic priority; higher leaves the queue first.</summary>
    public int Priority { get; init; }

    /// <summary>Bytes that count against the queue's limit.</summary>
    public int Size { get; init; }

    public long ExpiresAt { get; init; } = long.MaxValue;

    public uint[] SubscriptionIdentifiers { get; init; } = [];

    /// <summary>Number of the message's row; 0 for a session that is not durable.</summary>
    public long MessageNumber { get; init; }

    /// <summary>It went to the store while its session was dormant: no list of the session has it.</summary>
    internal bool IsDormant { get; set; }

    /// <summary>The body; null while only the store has it.</summary>
    public ApplicationMessage? Message { get; set; }

    /// <summary>The publish whose acknowledgement waits for this delivery; null when none does any more.</summary>
    internal PublishRecord? Record { get; set; }

    /// <summary>The next delivery of the same <see cref="PublishRecord"/>.</summary>
    internal Delivery? NextInRecord { get; set; }

    /// <summary>
    /// Id of a message that its publisher may publish again: the row outlives the acknowledgement as long as that is so, and
    /// says that the session has had it (promise 2). <see cref="MessageId.None"/> for any other.
    /// </summary>
    public MessageId InDoubt { get; init; }

    /// <summary>QoS 2: PUBREC arrived.</summary>
    public bool Released { get; set; }

    /// <summary>QoS 2: that PUBREC arrived is durable, or need not be, so PUBREL may leave.</summary>
    public bool MayRelease { get; set; }

    /// <summary>It was sent on this or an earlier connection, so sending it again sets DUP [MQTT-3.3.1-1].</summary>
    public bool WasSent { get; set; }

    /// <summary>When it was last sent, in milliseconds of the monotonic clock; for timed retry.</summary>
    public long SentAt { get; set; }

    /// <summary>The membership by which it was lent, when it is a group's; see <see cref="Loan"/>.</summary>
    internal Shared.LocalMember? Lender { get; set; }

    /// <summary>The message at the group that this one is lent by; null when it is the session's own.</summary>
    internal Delivery? Loan { get; set; }

    internal Delivery? Next { get; set; }

    internal Delivery? Previous { get; set; }

    internal DeliveryList? List { get; set; }

    /// <summary>
    /// Packet id, derived from the sequence: a delivery keeps the same id over every reconnect and restart without a write
    /// of its own, which QoS 2 needs (docs/guarantees.md, promise 2).
    /// </summary>
    public ushort PacketId => PacketIdOf(Sequence);

    /// <summary>Packet id of the delivery with a sequence.</summary>
    internal static ushort PacketIdOf(long sequence) => (ushort)((sequence % PacketIdCount) + 1);

    /// <summary>Whether two sequences have the same packet id although they differ.</summary>
    internal static bool MayCollide(long oldest, long sequence) => sequence - oldest >= PacketIdCount;

    /// <summary>Its row in the store.</summary>
    internal DeliveryRow ToRow() =>
        new(Session.Number, Sequence, MessageNumber, Size, Qos, Retain, Released, ExpiresAt, SubscriptionIdentifiers)
        {
            InDoubt = InDoubt,
        };

    internal RowState RowState => (RowState)Volatile.Read(ref _rowState);

    /// <summary>Moves from one storage state to the next; false when another thread was first.</summary>
    internal bool TryMove(RowState from, RowState to) =>
        Interlocked.CompareExchange(ref _rowState, (int)to, (int)from) == (int)from;

    internal void SetRowState(RowState state) => Volatile.Write(ref _rowState, (int)state);
}

/// <summary>Where the row of a delivery stands.</summary>
internal enum RowState
{
    /// <summary>Memory only: QoS 0, or a session that is not durable.</summary>
    None,

    /// <summary>To be written by the next commit that reaches it.</summary>
    Pending,

    /// <summary>Part of a transaction.</summary>
    Taken,

    /// <summary>Durable.</summary>
    Committed,

    /// <summary>Acknowledged or dropped before any transaction took it: no row will be written.</summary>
    Cancelled,
}
