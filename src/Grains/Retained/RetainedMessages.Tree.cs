using Broker.Grains.Messages;

namespace Broker.Grains.Retained;

/// <content>The tree by topic level. Everything here needs <see cref="Gate"/>.</content>
public sealed partial class RetainedMessages
{
    // By time, so that silos that hear of a topic from each other number it alike; ascending all the same.
    private long NextNumber(ApplicationMessage message) =>
        _lastNumber = Math.Max(_lastNumber + 1, (long)message.Id.TimestampMicroseconds);

    private void Put(string topic, ApplicationMessage message, long number)
    {
        var node = _root;
        foreach (var level in topic.Split('/'))
        {
            node = node.GetOrAdd(level);
        }

        if (node.Entry is null)
        {
            node.Entry = new RetainedEntry(topic, number == 0 ? NextNumber(message) : number);
            Count++;
        }
        else
        {
            Forget(node.Entry);
        }

        Bytes += message.Size;
        _expiring += message.ExpiresAt == long.MaxValue ? 0 : 1;
        node.Entry.Set(message, ++_version);
    }

    private void Clear(string topic)
    {
        var path = new Stack<(Node Parent, string Level)>();
        var node = _root;
        foreach (var level in topic.Split('/'))
        {
            path.Push((node, level));
            if (node.Children is null || !node.Children.TryGetValue(level, out node))
            {
                return;
            }
        }

        if (node.Entry is null)
        {
            return;
        }

        Count--;
        Forget(node.Entry);
        node.Entry.Set(null, ++_version);
        node.Entry = null;
        while (path.TryPop(out var step) && node.IsEmpty)
        {
            step.Parent.Children!.Remove(step.Level);
            node = step.Parent;
        }
    }

    private void Forget(RetainedEntry entry)
    {
        if (entry.Message is { } message)
        {
            Bytes -= message.Size;
            _expiring -= message.ExpiresAt == long.MaxValue ? 0 : 1;
        }
    }

    private Node? Find(string topic)
    {
        var node = _root;
        foreach (var level in topic.Split('/'))
        {
            if (node.Children is null || !node.Children.TryGetValue(level, out node))
            {
                return null;
            }
        }

        return node;
    }

    private static void Collect(Node node, string[] levels, int depth, List<RetainedEntry> found)
    {
        if (depth == levels.Length)
        {
            AddTo(found, node);
            return;
        }

        switch (levels[depth])
        {
            case "#":
                // '#' includes the parent level [MQTT-4.7.1-1].
                AddTo(found, node);
                foreach (var child in Visible(node, depth))
                {
                    CollectAll(child, found);
                }

                break;
            case "+":
                foreach (var child in Visible(node, depth))
                {
                    Collect(child, levels, depth + 1, found);
                }

                break;
            default:
                if (node.Children is not null && node.Children.TryGetValue(levels[depth], out var next))
                {
                    Collect(next, levels, depth + 1, found);
                }

                break;
        }
    }

    // A leading wildcard does not match topics that begin with '$' [MQTT-4.7.2-1].
    private static IEnumerable<Node> Visible(Node node, int depth) =>
        node.Children is null ? []
        : depth > 0 ? node.Children.Values
        : node.Children.Where(c => !c.Key.StartsWith('$')).Select(c => c.Value);

    private static void CollectAll(Node node, List<RetainedEntry> found)
    {
        AddTo(found, node);
        if (node.Children is not null)
        {
            foreach (var child in node.Children.Values)
            {
                CollectAll(child, found);
            }
        }
    }

    private static void AddTo(List<RetainedEntry> found, Node node)
    {
        if (node.Entry is not null)
        {
            found.Add(node.Entry);
        }
    }

    private sealed class Node
    {
        public Dictionary<string, Node>? Children { get; private set; }

        public RetainedEntry? Entry { get; set; }

        public bool IsEmpty => Entry is null && Children is null or { Count: 0 };

        public Node GetOrAdd(string level)
        {
            Children ??= new Dictionary<string, Node>(StringComparer.Ordinal);
            if (!Children.TryGetValue(level, out var child))
            {
                child = new Node();
                Children.Add(level, child);
            }

            return child;
        }
    }
}
