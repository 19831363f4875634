namespace Broker.Grains.Routing;

/// <summary>
/// Filters with wildcards and their subscribers. A match walks the levels of the topic with the set of nodes reached so far;
/// what it costs follows the filters that match the beginning of the topic, not the number of filters.
/// </summary>
internal sealed class FilterTrie
{
    private readonly TrieNode _root = new(null, null, 1);
    private readonly EdgeTable _edges = new();
    private readonly TokenTable _tokens = new();

    /// <summary>Number of filters.</summary>
    public int Count { get; private set; }

    /// <summary>Under the lock. False when this subscriber is there already.</summary>
    public bool Add(ReadOnlySpan<byte> filter, object subscriber)
    {
        var node = _root;
        var below = false;
        foreach (var level in new LevelReader(filter))
        {
            below = level is [(byte)'#'];
            if (!below)
            {
                node = Step(node, level) ?? Extend(node, level);
            }
        }

        ref var one = ref below ? ref node.BelowOne : ref node.One;
        var fresh = one is null && MoreOf(node, below) is null;
        SubscriberSet? none = null;
        if (fresh)
        {
            Volatile.Write(ref one, subscriber);
            Count++;
            return true;
        }

        if (ReferenceEquals(one, subscriber))
        {
            return false;
        }

        if (one is not null && node.Overflow is null)
        {
            Volatile.Write(ref node.Overflow, new TrieOverflow());
        }

        return node.Overflow is { } overflow
            ? SubscriberSlot.Add(ref one, ref below ? ref overflow.BelowMore : ref overflow.More, subscriber)
            : SubscriberSlot.Add(ref one, ref none, subscriber);
    }

    /// <summary>Under the lock. False when this subscriber is not there.</summary>
    public bool Remove(ReadOnlySpan<byte> filter, object subscriber)
    {
        if (Locate(filter, out var below) is not { } node)
        {
            return false;
        }

        ref var one = ref below ? ref node.BelowOne : ref node.One;
        SubscriberSet? none = null;
        var removed = node.Overflow is { } overflow
            ? SubscriberSlot.Remove(ref one, ref below ? ref overflow.BelowMore : ref overflow.More, subscriber)
            : SubscriberSlot.Remove(ref one, ref none, subscriber);
        if (!removed)
        {
            return false;
        }

        if (node.Overflow is { More: null, BelowMore: null })
        {
            Volatile.Write(ref node.Overflow, null);
        }

        if (one is null && MoreOf(node, below) is null)
        {
            Count--;
            Prune(node);
        }

        return true;
    }

    /// <summary>Looks up the texts of all levels; a text that no wildcard filter names is null.</summary>
    public int ReadLevels(ReadOnlySpan<byte> topic, MatchScratch result)
    {
        var count = 0;
        foreach (var level in new LevelReader(topic))
        {
            result.EnsureTokens(count + 1);
            result.Tokens[count++] = _tokens.Find(level, TopicHash.Of(level));
        }

        return count;
    }

    /// <summary>Appends the subscribers of all filters that match the topic. Without the lock.</summary>
    /// <remarks>
    /// At a million filters nearly every node and every slot of a table is a cache miss, so the walk asks for memory a step
    /// before it looks at it: the slots of the next level while it is at the nodes of this one. Where a branch would go
    /// either way with equal chance, both outcomes are written and one of them counted.
    /// </remarks>
    /// <param name="levels">What <see cref="ReadLevels" /> has returned.</param>
    public void Match(ReadOnlySpan<byte> topic, int levels, MatchScratch result)
    {
        // [MQTT-4.7.2-1]: a filter that begins with a wildcard does not match a topic that begins with '$'.
        var reserved = topic is [(byte)'$', ..];
        if (!reserved)
        {
            AppendBelow(_root, result);
        }

        var tokens = result.Tokens.AsSpan(0, levels);
        var edges = _edges.Read();
        result.Current[0] = new TrieStep(_root, _root.Seed);
        Approach(edges, result.Current.AsSpan(0, 1), tokens[0]);
        var count = 1;
        for (var level = 0; level < levels; level++)
        {
            result.EnsureNext((2 * count) + 1);
            var next = result.Next;
            var current = result.Current.AsSpan(0, count);
            var following = level + 1 < levels ? tokens[level + 1] : null;
            if (tokens[level] is { } token)
            {
                Foresee(edges, current, following);
                count = reserved ? 0 : Plusses(edges, current, next, following);
                count = Texts(edges, current, token, following, next, count);
            }
            else
            {
                count = reserved ? 0 : Plusses(edges, current, next, following);
            }

            if (count == 0)
            {
                return;
            }

            // [MQTT-4.7.1-1]: '#' matches the level above it too, so it counts as soon as its parent is reached.
            reserved = false;
            AppendBelow(next.AsSpan(0, count), result);
            result.Advance();
        }

        foreach (ref var step in result.Current.AsSpan(0, count))
        {
            Append(step.Node, result);
        }
    }

    /// <summary>Appends the subscribers of exactly this filter. Without the lock.</summary>
    public void CopyTo(ReadOnlySpan<byte> filter, MatchScratch result)
    {
        if (Locate(filter, out var below) is not { } node)
        {
            return;
        }

        if (below)
        {
            AppendBelow(node, result);
        }
        else
        {
            Append(node, result);
        }
    }

    /// <summary>The nodes, except the root and those that a '+' leads to. Under the lock.</summary>
    public List<RefShard<TrieNode>> Snapshot() => _edges.Snapshot();

    /// <summary>The node that everything starts from.</summary>
    public TrieNode Root => _root;

    /// <summary>Number of distinct level texts and of nodes that are kept, for tests of reclamation. Under the lock.</summary>
    public (int Tokens, int Nodes) Footprint() =>
        (_tokens.Snapshot().Sum(x => x.Live), _edges.Snapshot().Sum(x => x.Live));

    /// <summary>Finds out where the steps along a text are, and starts loading those places.</summary>
    private static void Approach(EdgeTable.Reader edges, Span<TrieStep> steps, Token? token)
    {
        if (token is null)
        {
            return;
        }

        foreach (ref var step in steps)
        {
            step.EdgeHash = TopicHash.OfEdge(step.Seed, token.Hash);
            edges.Prefetch(step.EdgeHash);
        }
    }

    /// <summary>Starts loading the nodes that the texts will most likely lead to, and the places of the steps from there.</summary>
    private static void Foresee(EdgeTable.Reader edges, ReadOnlySpan<TrieStep> steps, Token? following)
    {
        foreach (ref readonly var step in steps)
        {
            if (edges.Guess(step.EdgeHash) is { } child)
            {
                Prefetch.Object(child);
                if (following is not null)
                {
                    edges.Prefetch(TopicHash.OfEdge((uint)step.EdgeHash, following.Hash));
                }
            }
        }
    }

    private static int Plusses(EdgeTable.Reader edges, ReadOnlySpan<TrieStep> current, Span<TrieStep> next, Token? following)
    {
        var reached = 0;
        foreach (ref readonly var step in current)
        {
            var plus = step.Node.Plus;
            next[reached] = new TrieStep(plus!, TopicHash.OfPlus(step.Seed));
            reached += plus is null ? 0 : 1;
        }

        Approach(edges, next[..reached], following);
        return reached;
    }

    private static int Texts(
        EdgeTable.Reader edges,
        ReadOnlySpan<TrieStep> current,
        Token token,
        Token? following,
        Span<TrieStep> next,
        int reached)
    {
        foreach (ref readonly var step in current)
        {
            if (edges.Find(step.Node, token, step.EdgeHash) is { } child)
            {
                var seed = (uint)step.EdgeHash;
                next[reached++] = new TrieStep(child, seed)
                {
                    EdgeHash = following is null ? 0 : TopicHash.OfEdge(seed, following.Hash),
                };
            }
        }

        return reached;
    }

    private static void AppendBelow(ReadOnlySpan<TrieStep> steps, MatchScratch result)
    {
        foreach (ref readonly var step in steps)
        {
            var node = step.Node;
            result.AppendIfPresent(node.BelowOne);
            if (node.Overflow is { } overflow)
            {
                Volatile.Read(ref overflow.BelowMore)?.CopyTo(result);
            }

            if (node.Plus is { } plus)
            {
                Prefetch.Object(plus);
            }
        }
    }

    private static void Append(TrieNode node, MatchScratch result)
    {
        result.AppendIfPresent(node.One);
        if (node.Overflow is { } overflow)
        {
            Volatile.Read(ref overflow.More)?.CopyTo(result);
        }
    }

    private static void AppendBelow(TrieNode node, MatchScratch result)
    {
        if (node.BelowOne is { } one)
        {
            result.Append(one);
        }

        if (node.Overflow is { } overflow)
        {
            Volatile.Read(ref overflow.BelowMore)?.CopyTo(result);
        }
    }

    private static SubscriberSet? MoreOf(TrieNode node, bool below) =>
        below ? node.Overflow?.BelowMore : node.Overflow?.More;

    private TrieNode? Locate(ReadOnlySpan<byte> filter, out bool below)
    {
        var node = _root;
        below = false;
        foreach (var level in new LevelReader(filter))
        {
            below = level is [(byte)'#'];
            if (!below)
            {
                if (Step(node, level) is not { } child)
                {
                    return null;
                }

                node = child;
            }
        }

        return node;
    }

    private TrieNode? Step(TrieNode node, ReadOnlySpan<byte> level)
    {
        if (level is [(byte)'+'])
        {
            return node.Plus;
        }

        return _tokens.Find(level, TopicHash.Of(level)) is { } token ? _edges.Find(node, token) : null;
    }

    private TrieNode Extend(TrieNode node, ReadOnlySpan<byte> level)
    {
        if (level is [(byte)'+'])
        {
            var plus = new TrieNode(node, null, TopicHash.OfPlus(node.Seed));
            Volatile.Write(ref node.Plus, plus);
            return plus;
        }

        var hash = TopicHash.Of(level);
        var token = _tokens.Find(level, hash);
        if (token is null)
        {
            token = new Token(level.ToArray(), hash);
            _tokens.Insert(token);
        }

        token.References++;
        var child = new TrieNode(node, token, EdgeTable.SeedOf(node, token));
        _edges.Insert(child);
        node.Children++;
        return child;
    }

    /// <summary>Takes out nodes that no filter needs any more, from the leaf up.</summary>
    private void Prune(TrieNode node)
    {
        while (node is { IsEmpty: true, Parent: { } parent })
        {
            if (node.Token is not { } token)
            {
                Volatile.Write(ref parent.Plus, null);
            }
            else
            {
                _edges.Remove(node);
                parent.Children--;
                if (--token.References == 0)
                {
                    _tokens.Remove(token);
                }
            }

            node = parent;
        }
    }
}
