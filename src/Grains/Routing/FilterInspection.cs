namespace Broker.Grains.Routing;

/// <summary>Reads filters back out of the index, without the lock.</summary>
internal static class FilterInspection
{
    /// <summary>The filters without wildcard.</summary>
    public static IEnumerable<FilterInfo> Exact(List<KeyShard> shards)
    {
        foreach (var shard in shards)
        {
            foreach (var (entry, offset) in shard.LiveEntries())
            {
                var count = SubscriberSlot.Count(shard.One[entry], shard.More?[entry]);
                if (count > 0)
                {
                    yield return new FilterInfo(shard.KeyAt(offset).ToArray(), count);
                }
            }
        }
    }

    /// <summary>The filters with wildcards.</summary>
    public static IEnumerable<FilterInfo> Wild(TrieNode root, List<RefShard<TrieNode>> shards)
    {
        foreach (var start in shards.SelectMany(x => x.Items).Prepend(root))
        {
            // Nodes that a '+' leads to are in no table: they hang on the one before.
            for (var node = start; node is not null; node = node.Plus)
            {
                var overflow = node.Overflow;
                var count = SubscriberSlot.Count(node.One, overflow?.More);
                if (count > 0)
                {
                    yield return new FilterInfo(PathOf(node, below: false), count);
                }

                count = SubscriberSlot.Count(node.BelowOne, overflow?.BelowMore);
                if (count > 0)
                {
                    yield return new FilterInfo(PathOf(node, below: true), count);
                }
            }
        }
    }

    private static byte[] PathOf(TrieNode end, bool below)
    {
        var levels = new List<byte[]>();
        if (below)
        {
            levels.Add([(byte)'#']);
        }

        for (var node = end; node.Parent is { } parent; node = parent)
        {
            levels.Add(node.Token?.Text ?? [(byte)'+']);
        }

        levels.Reverse();
        var path = new List<byte>(levels[0]);
        foreach (var level in levels.Skip(1))
        {
            path.Add((byte)'/');
            path.AddRange(level);
        }

        return [.. path];
    }
}
