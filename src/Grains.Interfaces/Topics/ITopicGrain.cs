namespace Broker.Grains.Interfaces.Topics;

/// <summary>
/// The authority on who is interested in a Topic Filter, keyed by <see cref="GrainKeys.Topic"/>, and the way of a message
/// to the other silos. A broker of one silo has no use for it on the message path.
/// </summary>
[Alias("broker.topic")]
public interface ITopicGrain : IGrainWithStringKey
{
    /// <summary>
    /// Sends the messages to every interested silo but their origin. Returns when each has answered, so that the
    /// publishers can be acknowledged.
    /// </summary>
    [Alias("Publish")]
    Task<DeliveryOutcome> Publish(EdgeBatch batch);

    /// <summary>A silo's interest has come or gone.</summary>
    /// <param name="watcher">The activation that the silo was asked by.</param>
    /// <returns>False when that activation is gone, and the silo need not tell any more.</returns>
    [Alias("InterestChanged")]
    Task<bool> InterestChanged(SiloInterest interest, Guid watcher);

    /// <summary>What the Orleans dashboard shows. Writes nothing and creates nothing durable.</summary>
    [Alias("GetState")]
    Task<TopicSnapshot> GetState();
}
