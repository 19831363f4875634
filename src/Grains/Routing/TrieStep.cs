namespace Broker.Grains.Routing;

/// <summary>A node that a match has reached. Its seed is known before the node itself is in the cache.</summary>
internal struct TrieStep(TrieNode node, uint seed)
{
    public readonly TrieNode Node = node;

    /// <summary>Hash of the step along the text of the next level.</summary>
    public ulong EdgeHash;

    /// <summary>Seed of the node.</summary>
    public readonly uint Seed = seed;
}
