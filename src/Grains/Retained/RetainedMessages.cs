using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Storage;

namespace Broker.Grains.Retained;

/// <summary>
/// All retained messages of the silo: a tree by topic level, so that a wildcard subscriber pays for its matches and not
/// for the whole. Rows in the store say the same; they are read once, at start. No session owns any, so they outlive all
/// [MQTT-3.1.2-7] of 3.1.1.
/// <para>
/// <see cref="Gate"/> makes "set, then match the subscribers" one step for publishers and "subscribe, then collect what is
/// retained" one step for subscribers: each message reaches a new subscriber either live or from here, never both, never neither.
/// </para>
/// </summary>
public sealed partial class RetainedMessages
{
    private readonly Node _root = new();
    private readonly ClearedTopics _cleared = new();
    private readonly RetainedOptions _limits;
    private readonly MessageIdSource? _ids;
    private long _lastNumber;
    private long _version;
    private int _expiring;

    /// <param name="ids">Gives this silo's messages their versions; told of those of other silos.</param>
    public RetainedMessages(RetainedOptions limits, MessageIdSource? ids = null)
    {
        _limits = limits;
        _ids = ids;
    }

    /// <summary>See the class. Held for microseconds, never across an await.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Topics with a retained message.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all retained messages.</summary>
    public long Bytes { get; private set; }

    /// <summary>Topics that are known to have been cleared lately.</summary>
    public int ClearedCount => _cleared.Count;

    /// <summary>Raised by every change.</summary>
    public long Version => _version;

    /// <summary>Takes over what the store holds, as far as it is newer than what is here.</summary>
    public void Load(IReadOnlyList<RetainedRow> rows)
    {
        lock (Gate)
        {
            foreach (var row in rows)
            {
                _lastNumber = Math.Max(_lastNumber, row.Number);
                Apply(row.Topic, row.IsCleared ? null : row.Message, row.Message.Id, row.Number);
            }
        }
    }

    /// <summary>
    /// Sets, replaces or, with an empty payload, clears the retained message of its topic [MQTT-3.3.1-5], [MQTT-3.3.1-6],
    /// unless there is a newer one; one without payload is not stored [MQTT-3.3.1-7]. The caller holds <see cref="Gate"/>. False when a
    /// limit forbids it; the old message is then cleared, because it is no longer the last known good value.
    /// </summary>
    public bool Set(ApplicationMessage message)
    {
        var topic = Encoding.UTF8.GetString(message.Topic);
        var existing = Find(topic)?.Entry?.Message;
        var isRefused = message.Id > VersionOf(topic)
            && !message.Payload.IsEmpty
            && ((_limits.MaxMessageBytes > 0 && message.Size > _limits.MaxMessageBytes)
                || (_limits.MaxCount > 0 && existing is null && Count >= _limits.MaxCount)
                || (_limits.MaxTotalBytes > 0 && Bytes - (existing?.Size ?? 0) + message.Size > _limits.MaxTotalBytes));
        Apply(topic, isRefused || message.Payload.IsEmpty ? null : message, message.Id, 0);
        return !isRefused;
    }

    /// <summary>
    /// What another silo has accepted: all silos keep the same, so that silo's limits have decided. The caller holds
    /// <see cref="Gate"/>.
    /// </summary>
    public void Follow(ApplicationMessage message)
    {
        var topic = Encoding.UTF8.GetString(message.Topic);
        Apply(topic, message.IsRetainRefused || message.Payload.IsEmpty ? null : message, message.Id, 0);
    }

    /// <summary>Writes the present state of a topic: whichever of several publishers comes last, the newest is what stays.</summary>
    /// <param name="version">What is written if it is not remembered any more that the topic was cleared.</param>
    public void WriteTo(IStoreBatch batch, string topic, MessageId version)
    {
        lock (Gate)
        {
            if (Find(topic)?.Entry is { Message: { } message } entry)
            {
                batch.PutRetained(topic, entry.Number, message);
            }
            else
            {
                batch.ClearRetained(topic, _cleared.TryGet(topic, out var cleared) && cleared > version ? cleared : version);
            }
        }
    }

    /// <summary>Topics and versions of what a silo has set or cleared, from a time before its latest on.</summary>
    /// <param name="node">Node number of the silo.</param>
    /// <param name="before">Counted back from the latest of its versions here.</param>
    public List<(string Topic, MessageId Version)> Latest(ushort node, TimeSpan before)
    {
        lock (Gate)
        {
            var entries = new List<RetainedEntry>();
            CollectAll(_root, entries);
            List<(string Topic, MessageId Version)> all =
            [
                .. entries.Where(e => e.Message!.Id.Node == node).Select(static e => (e.Topic, e.Message!.Id)),
                .. _cleared.All.Where(c => c.Value.Node == node).Select(static c => (c.Key, c.Value)),
            ];
            if (all.Count > 0)
            {
                var latest = all.Max(static v => v.Version.TimestampMicroseconds);
                all.RemoveAll(v => latest - v.Version.TimestampMicroseconds > before.TotalMicroseconds);
            }

            return all;
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

    /// <summary>Clears what has expired and returns the topics, so that their rows can go. Called every minute.</summary>
    public List<(string Topic, MessageId Version)> RemoveExpired(long now)
    {
        lock (Gate)
        {
            _cleared.Age();
            if (_expiring == 0)
            {
                return [];
            }

            var expired = new List<RetainedEntry>();
            CollectAll(_root, expired);
            expired.RemoveAll(e => e.Message is not { } message || !message.IsExpired(now));
            var topics = expired.ConvertAll(static e => (e.Topic, e.Message!.Id));
            foreach (var (topic, version) in topics)
            {
                Apply(topic, null, version, 0);
            }

            return topics;
        }
    }

    /// <summary>
    /// One rule for all silos and the store, so that they come to the same whatever the order in which they hear of it: the
    /// highest version stays, and of a message and the end of the same message the end.
    /// </summary>
    /// <param name="message">Null to clear.</param>
    private void Apply(string topic, ApplicationMessage? message, MessageId version, long number)
    {
        _ids?.Observe(version);
        var known = VersionOf(topic);
        if (version < known || (version == known && message is not null))
        {
            return;
        }

        if (message is not null)
        {
            _cleared.Remove(topic);
            Put(topic, message, number);
            return;
        }

        Clear(topic);
        _cleared.Add(topic, version);
    }

    private MessageId VersionOf(string topic) => Find(topic)?.Entry?.Message?.Id
        ?? (_cleared.Count > 0 && _cleared.TryGet(topic, out var cleared) ? cleared : MessageId.None);
}
