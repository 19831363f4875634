using Broker.Grains.Messages;
using Broker.Grains.Storage;

namespace Broker.Grains.Tests.Storage;

/// <summary>A batch that knows last-alive times only: enough to tell writes apart.</summary>
internal sealed class TimesBatch(List<long> times) : IStoreBatch
{
    public void PutLastAlive(long time) => times.Add(time);

    public bool Owns(long session, long epoch) => throw new NotSupportedException();

    public void PutSession(SessionRow row) => throw new NotSupportedException();

    public void DeleteSession(long session) => throw new NotSupportedException();

    public void PutSubscription(SubscriptionRow row) => throw new NotSupportedException();

    public void DeleteSubscription(long session, string filter) => throw new NotSupportedException();

    public void PutMessage(long number, ApplicationMessage message, int references) => throw new NotSupportedException();

    public void PutDelivery(DeliveryRow row) => throw new NotSupportedException();

    public void SetReleased(long session, long sequence) => throw new NotSupportedException();

    public void DeleteDelivery(long session, long sequence, long message) => throw new NotSupportedException();

    public void PutInboundId(long session, ushort packetId, MessageId inDoubt = default) => throw new NotSupportedException();

    public void DeleteInboundId(long session, ushort packetId) => throw new NotSupportedException();

    public void PutRetained(string topic, long number, ApplicationMessage message) => throw new NotSupportedException();

    public void ClearRetained(string topic, MessageId version) => throw new NotSupportedException();

    public void PutWill(WillRow row) => throw new NotSupportedException();

    public void DeleteWill(string clientId) => throw new NotSupportedException();

    public void ReleaseExclusive(long holder, string filter) => throw new NotSupportedException();

    public void PutDelayed(DelayedRow row) => throw new NotSupportedException();

    public void MarkDelayed(MessageId id, MessageId publishedAs) => throw new NotSupportedException();

    public void DeleteDelayed(MessageId id) => throw new NotSupportedException();

    public void PutItem(ItemRow row) => throw new NotSupportedException();

    public void DeleteItem(string kind, string key) => throw new NotSupportedException();

    public void PutReplay(long session, string filter, long afterNumber, MessageId upTo) => throw new NotSupportedException();

    public void DeleteReplay(long session, string filter) => throw new NotSupportedException();
}
