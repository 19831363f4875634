using Orleans.Services;

namespace Broker.Grains.Interfaces.Topics;

/// <summary>The one door through which messages of other silos reach the sessions of a silo; addressed by silo.</summary>
[Alias("broker.inbox")]
public interface ISiloInbox : IGrainService
{
    /// <summary>
    /// Routes the messages to the sessions of this silo, in order. Returns when every durable delivery is committed or
    /// acknowledged by its subscriber. A batch number that was handled before is answered with what it was answered then.
    /// </summary>
    [Alias("Deliver")]
    Task<DeliveryOutcome> Deliver(EdgeBatch batch);

    /// <summary>This silo's interest in a filter now.</summary>
    [Alias("InterestIn")]
    Task<SiloInterest> InterestIn(string filter);

    /// <summary>The same, and from now on changes of it are told to the filter's Topic grain.</summary>
    /// <param name="watcher">The activation that asks; a later one takes its place.</param>
    [Alias("Watch")]
    Task<SiloInterest> Watch(string filter, Guid watcher);

    /// <summary>The activation goes; nothing happens when another one watches by now.</summary>
    [Alias("Unwatch")]
    Task Unwatch(string filter, Guid watcher);
}
