using Broker.Grains.Routing;

namespace Broker.Gateway.Connections;

/// <summary>
/// Topic aliases towards one client on one connection [MQTT-3.3.2-7] (MQTT 5.0 section 3.3.2.3.4): for the topics whose names have
/// cost most bytes lately, which is their number of messages times their length.
/// <para>
/// A topic gets a free alias at once: that costs 3 bytes once for each alias, and the next message has them back. When none is free, it
/// gets the alias of the topic that saves least, if its own name has cost more than that one has saved. Both numbers are halved from
/// time to time, so that what was is outweighed by what is. Topics without alias are counted in a small table in which the ones that
/// come often push out the others. Nothing is allocated for a message, but for the name of a topic that gets an alias.
/// </para>
/// <para>Not safe for several threads: used under the session's lock, in the order in which packets are written.</para>
/// </summary>
/// <param name="maximum">The client's Topic Alias Maximum, not 0: no alias is above it [MQTT-3.1.2-26] [MQTT-3.3.2-11].</param>
internal sealed class OutboundAliases(int maximum)
{
    // Looked through from one end to the other: 64 hashes are 256 bytes, a few vector comparisons.
    private const int MostAliases = 64;

    // The property takes 3 bytes: a third message has to bring a gain.
    private const int ShortestTopic = 6;
    private const int PropertyLength = 3;
    private const int Candidates = 64;
    private const int MessagesPerHalving = 1024;

    private readonly int _maximum = Math.Min(maximum, MostAliases);
    private readonly Candidate[] _candidates = new Candidate[Candidates];
    private uint[] _hashes = new uint[8];
    private Entry[] _entries = new Entry[8];
    private int _count;
    private int _messages;

    // Nothing with an alias saves less than this; it may be out of date, on the low side.
    private long _leastSaving;

    /// <summary>What to do about the topic of the next PUBLISH. Nothing is decided until <see cref="Sent"/>.</summary>
    public Choice Choose(ReadOnlySpan<byte> topic)
    {
        if (topic.Length < ShortestTopic)
        {
            return default;
        }

        var hash = (uint)TopicHash.Of(topic);
        var at = Find(hash, topic);
        if (at >= 0)
        {
            return new Choice(at, isKnown: true, hash);
        }

        if (_count < _maximum)
        {
            return new Choice(_count, isKnown: false, hash);
        }

        ref var candidate = ref _candidates[hash % Candidates];
        if (candidate.Hash != hash)
        {
            // Whoever has the place loses it bit by bit to what comes more often.
            candidate = candidate.Count <= 1 ? new Candidate { Hash = hash, Count = 1 } : candidate with { Count = candidate.Count - 1 };
            return default;
        }

        candidate.Count++;
        var cost = (long)candidate.Count * (topic.Length - PropertyLength);
        return PlaceFor(cost) is var place and >= 0 ? new Choice(place, isKnown: false, hash) : default;
    }

    /// <summary>The packet that <paramref name="choice"/> was made for is in the output.</summary>
    /// <returns>Bytes that it saved; negative for the one that introduces an alias.</returns>
    public int Sent(Choice choice, ReadOnlySpan<byte> topic)
    {
        if (++_messages == MessagesPerHalving)
        {
            Halve();
        }

        if (choice.Number == 0)
        {
            return 0;
        }

        if (!choice.IsKnown)
        {
            Assign(choice, topic);
            return -PropertyLength;
        }

        _entries[choice.Number - 1].Saving += topic.Length - PropertyLength;
        return topic.Length - PropertyLength;
    }

    private int Find(uint hash, ReadOnlySpan<byte> topic)
    {
        var hashes = _hashes.AsSpan(0, _count);
        for (var from = 0; from < hashes.Length;)
        {
            var found = hashes[from..].IndexOf(hash);
            if (found < 0)
            {
                return -1;
            }

            if (_entries[from + found].Name.SequenceEqual(topic))
            {
                return from + found;
            }

            from += found + 1;
        }

        return -1;
    }

    /// <summary>Index of an alias that saves less than <paramref name="cost"/>; -1 for none.</summary>
    private int PlaceFor(long cost)
    {
        if (cost <= _leastSaving)
        {
            return -1;
        }

        var least = 0;
        for (var i = 1; i < _count; i++)
        {
            least = _entries[i].Saving < _entries[least].Saving ? i : least;
        }

        _leastSaving = _entries[least].Saving;
        return cost > _leastSaving ? least : -1;
    }

    private void Assign(Choice choice, ReadOnlySpan<byte> topic)
    {
        var index = choice.Number - 1;
        if (index == _count)
        {
            if (_count == _entries.Length)
            {
                Array.Resize(ref _entries, _count * 2);
                Array.Resize(ref _hashes, _count * 2);
            }

            _count++;
        }

        ref var candidate = ref _candidates[choice.Hash % Candidates];
        _entries[index].Set(topic, candidate.Hash == choice.Hash ? (long)candidate.Count * (topic.Length - PropertyLength) : 0);
        _hashes[index] = choice.Hash;
        candidate = default;
    }

    private void Halve()
    {
        _messages = 0;
        _leastSaving = 0;
        for (var i = 0; i < _count; i++)
        {
            _entries[i].Saving >>= 1;
        }

        foreach (ref var candidate in _candidates.AsSpan())
        {
            candidate.Count >>= 1;
        }
    }

    /// <summary>Alias for one PUBLISH.</summary>
    internal readonly struct Choice(int index, bool isKnown, uint hash)
    {
        /// <summary>The alias; 0 for none.</summary>
        public ushort Number { get; } = (ushort)(index + 1);

        /// <summary>The client knows it, so the topic is left out. Otherwise both are sent, and it knows it then.</summary>
        public bool IsKnown { get; } = isKnown;

        public uint Hash { get; } = hash;
    }

    private record struct Candidate
    {
        public uint Hash { get; set; }

        public int Count { get; set; }
    }

    private struct Entry
    {
        private byte[]? _name;
        private int _length;

        /// <summary>Bytes, halved from time to time.</summary>
        public long Saving;

        public readonly ReadOnlySpan<byte> Name => _name.AsSpan(0, _length);

        public void Set(ReadOnlySpan<byte> name, long saving)
        {
            if (_name is null || _name.Length < name.Length)
            {
                _name = new byte[name.Length];
            }

            name.CopyTo(_name);
            _length = name.Length;
            Saving = saving;
        }
    }
}
