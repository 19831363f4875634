using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Broker.Grains.Routing;

/// <summary>(node, level) to the node that the level leads to; one table for the whole trie.</summary>
internal sealed class EdgeTable : RefTable<TrieNode>
{
    /// <summary>The node one level below, null when there is none. Without the lock.</summary>
    public TrieNode? Find(TrieNode parent, Token token) =>
        Read().Find(parent, token, TopicHash.OfEdge(parent.Seed, token.Hash));

    /// <summary>The table as it is now, for all the steps of one match. Without the lock.</summary>
    public Reader Read() => new(Shards.Current);

    /// <summary>The seed of the node that a level leads to.</summary>
    public static uint SeedOf(TrieNode parent, Token token) => (uint)TopicHash.OfEdge(parent.Seed, token.Hash);

    protected override ulong HashOf(TrieNode item) => TopicHash.OfEdge(item.Parent!.Seed, item.Token!.Hash);

    /// <summary>Looks steps up by their hashes.</summary>
    internal readonly ref struct Reader(RefShard<TrieNode>[] shards)
    {
        /// <summary>The node one level below, null when there is none.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TrieNode? Find(TrieNode parent, Token token, ulong hash)
        {
            var shard = ShardDirectory<RefShard<TrieNode>>.Find(shards, hash);
            ref var tags = ref MemoryMarshal.GetArrayDataReference(shard.Tags);
            ref var items = ref MemoryMarshal.GetArrayDataReference(shard.Items);
            var wanted = RefShard<TrieNode>.TagOf(hash);
            for (var slot = Shard.SlotOf(hash); ; slot = (slot + 1) & (Shard.SlotCount - 1))
            {
                var tag = Volatile.Read(ref Unsafe.Add(ref tags, slot));
                if (tag == 0)
                {
                    return null;
                }

                if (tag == wanted && Unsafe.Add(ref items, slot) is { } node
                    && ReferenceEquals(node.Parent, parent) && ReferenceEquals(node.Token, token))
                {
                    return node;
                }
            }
        }

        /// <summary>Starts loading what <see cref="Find" /> will read first.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Prefetch(ulong hash)
        {
            var shard = ShardDirectory<RefShard<TrieNode>>.Find(shards, hash);
            var slot = Shard.SlotOf(hash);
            Routing.Prefetch.Line(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(shard.Tags), slot));
            Routing.Prefetch.Line(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(shard.Items), slot));
        }

        /// <summary>
        /// The node that <see cref="Find" /> will most likely return, by the tag of one slot alone and without a look at
        /// the node.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TrieNode? Guess(ulong hash)
        {
            var shard = ShardDirectory<RefShard<TrieNode>>.Find(shards, hash);
            var slot = Shard.SlotOf(hash);
            return Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(shard.Tags), slot) == RefShard<TrieNode>.TagOf(hash)
                ? Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(shard.Items), slot)
                : null;
        }
    }
}
