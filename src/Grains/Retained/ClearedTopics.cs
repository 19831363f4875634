using System.Diagnostics.CodeAnalysis;
using Broker.Grains.Messages;

namespace Broker.Grains.Retained;

/// <summary>
/// Topics whose retained message was cleared lately, with the version of that: an older message that comes later, from
/// another silo, must not bring it back. The caller has the lock.
/// </summary>
/// <param name="capacity">Clears remembered, about 250 bytes each; the oldest go first.</param>
internal sealed class ClearedTopics(int capacity = ClearedTopics.DefaultCapacity)
{
    /// <summary>More than one silo is asked to clear while a message is under way between two: 16 MB.</summary>
    public const int DefaultCapacity = 65_536;

    /// <summary>Calls of <see cref="Age"/> that a clear is remembered for.</summary>
    public const int Ages = 10;

    private readonly Dictionary<string, MessageId> _versions = new(StringComparer.Ordinal);

    // In the order of the clears, also of topics that have been set or cleared again since.
    private readonly Queue<(string Topic, MessageId Version, long Age)> _order = new();
    private long _age;

    public int Count => _versions.Count;

    /// <summary>Those remembered.</summary>
    public IEnumerable<KeyValuePair<string, MessageId>> All => _versions;

    public void Add(string topic, MessageId version)
    {
        if (_order.Count == capacity)
        {
            ForgetOldest();
        }

        _versions[topic] = version;
        _order.Enqueue((topic, version, _age));
    }

    public bool TryGet(string topic, [MaybeNullWhen(false)] out MessageId version) => _versions.TryGetValue(topic, out version);

    /// <summary>The topic has a message again.</summary>
    public void Remove(string topic) => _versions.Remove(topic);

    /// <summary>Called every minute: what was cleared <see cref="Ages"/> calls ago is forgotten.</summary>
    public void Age()
    {
        _age++;
        while (_order.TryPeek(out var oldest) && _age - oldest.Age >= Ages)
        {
            ForgetOldest();
        }
    }

    private void ForgetOldest()
    {
        var (topic, version, _) = _order.Dequeue();
        if (_versions.TryGetValue(topic, out var known) && known == version)
        {
            _versions.Remove(topic);
        }
    }
}
