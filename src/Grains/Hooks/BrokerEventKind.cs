namespace Broker.Grains.Hooks;

/// <summary>What hooks and the webhook can be told.</summary>
public enum BrokerEventKind
{
    /// <summary><c>client.connected</c></summary>
    ClientConnected,

    /// <summary><c>client.disconnected</c></summary>
    ClientDisconnected,

    /// <summary><c>client.subscribe</c></summary>
    ClientSubscribe,

    /// <summary><c>client.unsubscribe</c></summary>
    ClientUnsubscribe,

    /// <summary><c>message.publish</c></summary>
    MessagePublish,

    /// <summary><c>message.delivered</c></summary>
    MessageDelivered,

    /// <summary><c>message.acked</c></summary>
    MessageAcked,

    /// <summary><c>message.dropped</c></summary>
    MessageDropped,

    /// <summary><c>session.created</c></summary>
    SessionCreated,

    /// <summary><c>session.resumed</c></summary>
    SessionResumed,

    /// <summary><c>session.taken_over</c></summary>
    SessionTakenOver,

    /// <summary><c>session.expired</c></summary>
    SessionExpired,
}
