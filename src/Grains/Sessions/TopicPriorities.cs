using System.Text;

namespace Broker.Grains.Sessions;

/// <summary>Optional topic priorities of session queues: exact topic to priority, 0 for every other topic.</summary>
public sealed class TopicPriorities
{
    private readonly Dictionary<string, int> _byTopic;

    public TopicPriorities(IReadOnlyDictionary<string, int> byTopic) =>
        _byTopic = new Dictionary<string, int>(byTopic, StringComparer.Ordinal);

    /// <summary>Priority of a topic. Costs nothing when none are configured.</summary>
    public int Of(ReadOnlySpan<byte> topic) =>
        _byTopic.Count != 0 && _byTopic.TryGetValue(Encoding.UTF8.GetString(topic), out var priority) ? priority : 0;
}
