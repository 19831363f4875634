namespace Broker.Grains.Interfaces.Topics;

/// <summary>One Topic Filter of the whole cluster, keyed by <see cref="GrainKeys.Topic"/>.</summary>
[Alias("broker.topic")]
public interface ITopicGrain : IGrainWithStringKey
{
    /// <summary>What the Orleans dashboard shows. Writes nothing and creates nothing durable.</summary>
    [Alias("GetState")]
    Task<TopicSnapshot> GetState();
}
