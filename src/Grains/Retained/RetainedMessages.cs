using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Storage;

namespace Broker.Grains.Retained;

/// <summary>
/// All retained messages of the silo: a tree by topic level, so that a wildcard subscriber pays for its matches and not
/// for the whole. Rows in the store say the same; they are read once, at start.
/// <para>
/// <see cref="Gate"/> makes "set, then match the subscribers" one step for publishers and "subscribe, then collect what is
/// retained" one step for subscribers: each message reaches a new subscriber either live or from here, never both, never neither.
/// </para>
/// </summary>
public sealed class RetainedMessages
{
    private readonly Node _root = new();
    private readonly RetainedOptions _limits;
    private long _lastNumber;
    private long _version;
    private int _expiring;

    public RetainedMessages(RetainedOptions limits) => _limits = limits;

    /// <summary>See the class. Held for microseconds, never across an await.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Topics with a retained message.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all retained messages.</summary>
    public long Bytes { get; private set; }

    /// <summary>Raised by every change.</summary>
    public long Version => _version;

    /// <summary>Takes over what the store holds; only before the first client.</summary>
    public void Load(IReadOnlyList<RetainedRow> rows)
    {
        lock (Gate)
        {
            foreach (var row in rows)
            {
                _lastNumber = Math.Max(_lastNumber, row.Number);
                if (!(Find(row.Topic)?.Entry?.Message is { } known && known.Id > row.Message.Id))
                {
                    Put(row.Topic, row.Message, row.Number);
                }
            }
        }
    }

    /// <summary>
    /// Sets, replaces or, with an empty payload, clears the retained message of its topic [MQTT-3.3.1-5], [MQTT-3.3.1-6].
    /// The caller holds <see cref="Gate"/>. False when a limit forbids it; the old message is then cleared, because it is
    /// no longer the last known good value.
    /// </summary>
    public bool Set(ApplicationMessage message)
    {
        var topic = Encoding.UTF8.GetString(message.Topic);
        if (message.Payload.IsEmpty)
        {
            Clear(topic);
            return true;
        }

        var existing = Find(topic)?.Entry?.Message;
        if ((_limits.MaxMessageBytes > 0 && message.Payload.Length > _limits.MaxMessageBytes)
            || (_limits.MaxCount > 0 && existing is null && Count >= _limits.MaxCount)
            || (_limits.MaxTotalBytes > 0 && Bytes - (existing?.Size ?? 0) + message.Size > _limits.MaxTotalBytes))
        {
            Clear(topic);
            return false;
        }

        Put(topic, message, 0);
        return true;
    }

    /// <summary>Writes the present state of a topic: whichever of several publishers comes last, the newest is what stays.</summary>
    public void WriteTo(IStoreBatch batch, string topic)
    {
        lock (Gate)
        {
            if (Find(topic)?.Entry is { Message: { } message } entry)
            {
                batch.PutRetained(topic, entry.Number, message);
            }
            else
            {
                batch.DeleteRetained(topic);
            }
        }
    }

    /// <summary>Places of all topics that match a filter, by ascending number. The caller holds <see cref="Gate"/>.</summary>
    public RetainedEntry[] Match(string filter, long afterNumber = 0)
    {
        var found = new List<RetainedEntry>();
        Collect(_root, filter.Split('/'), 0, found);
        if (afterNumber > 0)
        {
            found.RemoveAll(e => e.Number <= afterNumber);
        }

        found.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        return [.. found];
    }

    /// <summary>Clears what has expired and returns the topics, so that their rows can go.</summary>
    public List<string> RemoveExpired(long now)
    {
        lock (Gate)
        {
            var expired = new List<RetainedEntry>();
            if (_expiring == 0)
            {
                return [];
            }

            CollectAll(_root, expired);
            expired.RemoveAll(e => e.Message is not { } message || !message.IsExpired(now));
            foreach (var entry in expired)
            {
                Clear(entry.Topic);
            }

            return expired.ConvertAll(e => e.Topic);
        }
    }

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
                // '#' includes the parent level [MQTT-4.7.1-2].
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
