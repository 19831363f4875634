namespace Broker.Grains.Hooks;

/// <summary>
/// Is told of events of one kind (foreach). Each hook has a queue of its own and gets its events one at a time, in order: a slow one delays
/// nobody, and misses events when its queue is full. With several hooks for a kind, those of higher priority have the event queued first.
/// </summary>
/// <typeparam name="TEvent">What it is told.</typeparam>
public interface IEventHook<in TEvent> : IHook
    where TEvent : BrokerEvent
{
    /// <summary>Something has happened.</summary>
    /// <param name="cancellationToken">Fires when the time limit is over; then the next event comes.</param>
    ValueTask OnEventAsync(TEvent happened, CancellationToken cancellationToken);
}
