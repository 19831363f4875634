using Broker.Grains.Messages;

namespace Broker.Grains.Storage;

/// <summary>
/// Rows of one transaction. Putting a row that exists replaces it, deleting one that does not is nothing; for the same key
/// the last call wins. The store decides in which order the statements run.
/// </summary>
public interface IStoreBatch
{
    /// <summary>
    /// Whether <paramref name="epoch"/> still owns the session (promise 4). A write that belongs to a session asks first
    /// and leaves its rows out when the answer is no. True for a session that this batch creates.
    /// </summary>
    bool Owns(long session, long epoch);

    /// <summary>Creates or replaces a session's row; its epoch is the owner from here on.</summary>
    void PutSession(SessionRow row);

    /// <summary>Deletes a session with all its subscriptions, deliveries (and messages nobody else waits for), inbound ids and replays.</summary>
    void DeleteSession(long session);

    void PutSubscription(SubscriptionRow row);

    void DeleteSubscription(long session, string filter);

    /// <summary>Stores a body once, with the number of delivery rows that refer to it.</summary>
    void PutMessage(long number, ApplicationMessage message, int references);

    void PutDelivery(DeliveryRow row);

    /// <summary>Sets the phase of a QoS 2 delivery (PUBREC arrived).</summary>
    void SetReleased(long session, long sequence);

    /// <summary>Deletes deliveries and every message that loses its last reference by it.</summary>
    void DeleteDelivery(long session, long sequence, long message);

    /// <param name="inDoubt">See <see cref="InboundRow"/>.</param>
    void PutInboundId(long session, ushort packetId, MessageId inDoubt = default);

    void DeleteInboundId(long session, ushort packetId);

    /// <summary>Sets the retained message of a topic, unless what is there has the same or a higher id.</summary>
    void PutRetained(string topic, long number, ApplicationMessage message);

    /// <summary>
    /// Clears the retained message of a topic, unless what is there has a higher id than <paramref name="version"/>. Where
    /// several silos write, that is remembered for a while, so that an older message that is written later does not bring it back.
    /// </summary>
    void ClearRetained(string topic, MessageId version);

    void PutWill(WillRow row);

    void DeleteWill(string clientId);

    /// <summary>How far the retained messages of a new subscription have been queued for a durable session.</summary>
    /// <param name="upTo">See <see cref="ReplayRow"/>.</param>
    void PutReplay(long session, string filter, long afterNumber, MessageId upTo);

    void DeleteReplay(long session, string filter);

    /// <summary>
    /// Gives the claim of an exclusive subscription back. Where several silos write, a claim is a row of its own; that of a durable
    /// session goes with its subscription by itself.
    /// </summary>
    /// <param name="holder">Number of the session, or the one that it has claimed it under.</param>
    void ReleaseExclusive(long holder, string filter);

    /// <summary>Keeps a message until it is published.</summary>
    void PutDelayed(DelayedRow row);

    /// <summary>The message is on its way to other silos, under an id of its own or another one; see <see cref="DelayedRow"/>.</summary>
    void MarkDelayed(MessageId id, MessageId publishedAs);

    void DeleteDelayed(MessageId id);

    /// <summary>Writes an item, unless what is there has a higher rank.</summary>
    void PutItem(ItemRow row);

    void DeleteItem(string kind, string key);

    /// <summary>Remembers that the broker was alive at this time (milliseconds since 1970).</summary>
    void PutLastAlive(long time);
}
