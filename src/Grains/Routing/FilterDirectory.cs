using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Broker.Grains.Routing;

/// <summary>
/// Directory of an extendible hash table: hash bits to shard. A shard that overflows is split alone, so the table grows
/// without ever copying itself whole. Readers need no lock; writers hold the lock of the index.
/// </summary>
/// <remarks>
/// While a replacement is being written into the directory, some entries lead to the old shard and some to the new: both
/// say the same, because nothing is changed before all entries are written.
/// </remarks>
internal sealed class FilterDirectory(FilterShard first)
{
    // 2^23 shards of some 900 filters: more than fits in memory.
    private const int MaxDepth = FilterSlot.DirectoryBitCount;

    private FilterShard[] _shards = [first];

    /// <summary>
    /// The directory as it is now, for several looks without the lock. A directory that has been replaced meanwhile still
    /// leads to every key but those added since.
    /// </summary>
    public FilterShard[] Current => _shards;

    /// <summary>The shard of a hash.</summary>
    public FilterShard Find(ulong hash) => Find(_shards, hash);

    /// <summary>The shard of a hash in a directory that <see cref="Current"/> has given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FilterShard Find(FilterShard[] shards, ulong hash)
    {
        var index = FilterSlot.DirectoryBits(hash) & (uint)(shards.Length - 1);
        return Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(shards), index);
    }

    /// <summary>Puts a shard where its depth and pattern say, in place of what is there.</summary>
    public void Publish(FilterShard shard)
    {
        while (_shards.Length < 1 << shard.Depth)
        {
            if (shard.Depth > MaxDepth)
            {
                throw new InvalidOperationException("The filter index cannot hold more.");
            }

            FilterShard[] doubled = [.. _shards, .. _shards];
            Volatile.Write(ref _shards, doubled);
        }

        for (var i = (int)shard.Pattern; i < _shards.Length; i += 1 << shard.Depth)
        {
            Volatile.Write(ref _shards[i], shard);
        }
    }

    /// <summary>The other half of the split that made this shard, if it is whole.</summary>
    public FilterShard? Buddy(FilterShard shard)
    {
        if (shard.Depth == 0)
        {
            return null;
        }

        var buddy = _shards[shard.Pattern ^ (1u << (shard.Depth - 1))];
        return buddy.Depth == shard.Depth ? buddy : null;
    }

    /// <summary>All shards, each once. Under the lock; the shards may then be read without it.</summary>
    public List<FilterShard> Snapshot()
    {
        var all = new List<FilterShard>();
        for (var i = 0; i < _shards.Length; i++)
        {
            if (_shards[i].Pattern == i)
            {
                all.Add(_shards[i]);
            }
        }

        return all;
    }
}
