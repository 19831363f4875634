using Broker.Grains.Messages;

namespace Broker.Grains.Storage;

/// <summary>
/// Everything the broker asks of a durable store. Writes are posted, in order, to one writer that commits whatever has
/// gathered while the last commit was under way (group commit, no timer); reads see committed rows only.
/// </summary>
public interface IMessageStore : IAsyncDisposable
{
    /// <summary>For the banner and health: kind and place, for example <c>sqlite data/broker.db</c>.</summary>
    string Description { get; }

    /// <summary>Number of this process in message ids, 1 to 65,535, that no other process on the same store has.</summary>
    ushort NodeNumber => 1;

    /// <summary>False from the first failed commit to the next one that succeeds, and in a cluster for a pause after it.</summary>
    bool IsAvailable { get; }

    /// <summary>
    /// True while posted and uncommitted writes exceed their limit and are being committed; readers then stop reading their sockets.
    /// False while they are refused: who waits for room then would wait for the end of the failure.
    /// </summary>
    bool IsCongested { get; }

    /// <summary>Completes when <see cref="IsCongested"/> is false.</summary>
    ValueTask WaitUntilDrainedAsync(CancellationToken cancellationToken);

    /// <summary>Creates or migrates the schema and returns what must be known before the first connection.</summary>
    Task<RecoveredState> OpenAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Notes that the broker runs, also while nothing can be committed: a full disk of hours must not count, after a
    /// crash, as hours that clients were away. Cheap; called every few seconds.
    /// </summary>
    void NoteAlive()
    {
    }

    /// <summary>Queues a write. Never blocks; <see cref="StoreWrite.Complete"/> tells the outcome.</summary>
    void Post(StoreWrite write);

    /// <summary>A number for a message row, ascending, never given twice.</summary>
    long NextMessageNumber();

    /// <summary>A number for a session, ascending, never given twice.</summary>
    long NextSessionNumber();

    /// <summary>The durable session of a client, or null.</summary>
    Task<SessionRow?> LoadSessionAsync(string clientId, CancellationToken cancellationToken);

    /// <summary>Deliveries of a session in sequence order, without the message bodies.</summary>
    Task<List<DeliveryRow>> LoadDeliveriesAsync(long session, CancellationToken cancellationToken);

    /// <summary>Packet ids of QoS 2 messages received from a client that still wait for PUBREL.</summary>
    Task<List<InboundRow>> LoadInboundIdsAsync(long session, CancellationToken cancellationToken);

    /// <summary>Messages by number. A number without a row is absent from the answer.</summary>
    Task<Dictionary<long, ApplicationMessage>> LoadMessagesAsync(
        IReadOnlyList<long> numbers, CancellationToken cancellationToken);

    /// <summary>Ids and topics of messages, by the messages' numbers. A number without a row is absent from the answer.</summary>
    Task<Dictionary<long, (MessageId Id, byte[] Topic)>> LoadTopicsAsync(IReadOnlyList<long> numbers, CancellationToken cancellationToken);

    /// <summary>
    /// Deliveries of a message that are stored: whose, whether PUBREC has arrived, and their sequence. Looks through all messages: for a
    /// question that a person asks.
    /// </summary>
    Task<List<(string ClientId, bool IsReleased, long Sequence)>> FindDeliveriesAsync(MessageId id, CancellationToken cancellationToken);

    /// <summary>All items of a kind, by key.</summary>
    Task<List<ItemRow>> LoadItemsAsync(string kind, CancellationToken cancellationToken);

    /// <summary>The item of a kind and key, or null.</summary>
    Task<ItemRow?> LoadItemAsync(string kind, string key, CancellationToken cancellationToken);

    /// <summary>How many delayed messages this process has to publish.</summary>
    Task<DelayedSummary> SummarizeDelayedAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Delayed messages that this process has to publish, due after one time (milliseconds since 1970) and not after another, in the
    /// order in which they are due, those of the same moment by id.
    /// </summary>
    Task<List<DelayedKey>> FindDelayedAsync(long after, long until, int limit, CancellationToken cancellationToken);

    /// <summary>Delayed messages by id. One that is not there any more is absent from the answer.</summary>
    Task<Dictionary<MessageId, DelayedRow>> LoadDelayedAsync(IReadOnlyCollection<MessageId> ids, CancellationToken cancellationToken);

    /// <summary>How many deliveries a session has of each topic.</summary>
    Task<List<(byte[] Topic, int Count)>> CountTopicsAsync(long session, CancellationToken cancellationToken);
}
