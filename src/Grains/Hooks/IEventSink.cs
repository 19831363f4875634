namespace Broker.Grains.Hooks;

/// <summary>Takes events from the threads that cause them; must neither block nor throw.</summary>
public interface IEventSink
{
    /// <summary>Sinks with a higher number are handed an event first.</summary>
    int Priority { get; }

    /// <summary>Whether it wants events of a kind. Asked once, at the start.</summary>
    bool Wants(BrokerEventKind kind);

    /// <summary>Takes an event, or loses and counts it.</summary>
    void Post(BrokerEvent happened);
}
