using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Broker.Grains.Sessions;

/// <summary>Optional topic priorities of session queues: exact topic to priority, 0 for every other topic.</summary>
public sealed class TopicPriorities
{
    private readonly Dictionary<string, int> _byTopic;

    private TopicPriorities(Dictionary<string, int> byTopic) => _byTopic = byTopic;

    /// <summary>Reads <c>topic=priority,topic=priority</c>. False when it has another form.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out TopicPriorities? priorities)
    {
        priorities = null;
        var byTopic = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var at = entry.LastIndexOf('=');
            if (at <= 0 || !int.TryParse(entry[(at + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var priority))
            {
                return false;
            }

            byTopic[entry[..at]] = priority;
        }

        priorities = new TopicPriorities(byTopic);
        return true;
    }

    /// <summary>Whether every topic has priority 0.</summary>
    public bool IsEmpty => _byTopic.Count == 0;

    /// <summary>Priority of a topic. Costs nothing when none are configured.</summary>
    public int Of(ReadOnlySpan<byte> topic) =>
        _byTopic.Count != 0 && _byTopic.TryGetValue(Encoding.UTF8.GetString(topic), out var priority) ? priority : 0;
}
