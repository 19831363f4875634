namespace Broker.TestKit.Wire;

/// <summary>A Topic Filter with its Subscription Options (MQTT 5.0 section 3.8.3.1); 3.x sends the QoS alone.</summary>
public sealed record Subscription(
    string Filter, int Qos = 0, bool NoLocal = false, bool RetainAsPublished = false, int RetainHandling = 0)
{
    public int Options => Qos | (NoLocal ? 4 : 0) | (RetainAsPublished ? 8 : 0) | (RetainHandling << 4);
}
