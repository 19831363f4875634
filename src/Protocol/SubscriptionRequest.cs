namespace Broker.Protocol;

/// <summary>When retained messages are sent for a subscription (MQTT 5.0 section 3.8.3.1).</summary>
public enum RetainHandling : byte
{
    /// <summary>At every SUBSCRIBE; the way of 3.x.</summary>
    Send = 0,

    /// <summary>If the subscription did not exist.</summary>
    SendIfNew = 1,

    DoNotSend = 2,
}

/// <summary>A Topic Filter in a SUBSCRIBE with its options.</summary>
public readonly record struct SubscriptionRequest(
    string Filter,
    QualityOfService MaximumQos,
    bool NoLocal = false,
    bool RetainAsPublished = false,
    RetainHandling RetainHandling = RetainHandling.Send)
{
    /// <summary>Subscription Options byte, in the form of MQTT 5.0.</summary>
    public byte Options => (byte)((int)MaximumQos | (NoLocal ? 0x04 : 0) | (RetainAsPublished ? 0x08 : 0) | ((int)RetainHandling << 4));
}
