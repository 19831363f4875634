namespace Broker.Grains.Hooks;

/// <summary>What an event takes in memory, for the queues that are bounded by bytes.</summary>
public static class BrokerEventSize
{
    // The object itself with its place in a queue, and the short texts that every event of its kind has.
    private const int Overhead = 200;

    /// <summary>About so many bytes: a text counts two for each character.</summary>
    public static long Of(BrokerEvent happened) => Overhead + Text(happened.ClientId) + happened switch
    {
        ClientConnected e => Text(e.UserName) + Text(e.Address),
        ClientDisconnected e => Text(e.UserName) + Text(e.Reason),
        ClientSubscribe e => Text(e.Filter),
        ClientUnsubscribe e => Text(e.Filter),
        MessagePublish e => Text(e.Topic) + Text(e.MessageId) + e.Payload.Length,
        MessageDelivered e => Text(e.Topic) + Text(e.MessageId),
        MessageAcked e => Text(e.Topic) + Text(e.MessageId),
        MessageDropped e => Text(e.Topic) + Text(e.MessageId),
        _ => 0,
    };

    private static long Text(string? text) => 2L * (text?.Length ?? 0);
}
