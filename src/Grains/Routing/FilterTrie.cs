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

    /// <summary>Appends the subscribers of all filters that match the topic. Without the lock.</summary>
    /// <remarks>
    /// At a million filters nearly every node is a cache miss, so the walk is arranged to have many of them under way at
    /// once: each loop below that touches new memory decides nothing by what it finds there, the loop after it does.
    /// </remarks>
    public void Match(ReadOnlySpan<byte> topic, MatchScratch result)
    {
        // [MQTT-4.7.2-1]: a filter that begins with a wildcard does not match a topic that begins with '$'.
        var reserved = topic is [(byte)'$', ..];
        if (!reserved)
        {
            AppendBelow(_root, result);
        }

        result.Current[0] = new TrieStep(_root, _root.Seed);
        var count = 1;
        foreach (var level in new LevelReader(topic))
        {
            result.EnsureNext(2 * count);
            var next = result.Next;
            var reached = Plusses(result.Current.AsSpan(0, count), next, reserved);
            reserved = false;
            var hash = TopicHash.Of(level);
            if (_tokens.Find(level, hash) is { } token)
            {
                reached = Texts(result.Current.AsSpan(0, count), token, next, reached);
            }

            Touch(next.AsSpan(0, reached));

            // [MQTT-4.7.1-2]: '#' matches the level above it too, so it counts as soon as its parent is reached.
            foreach (ref var step in next.AsSpan(0, reached))
            {
                AppendBelow(step.Node, result);
            }

            result.Advance();
            count = reached;
            if (count == 0)
            {
                return;
            }
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

    private static int Plusses(ReadOnlySpan<TrieStep> current, Span<TrieStep> next, bool reserved)
    {
        var reached = 0;
        foreach (ref readonly var step in current)
        {
            if (step.Node.Plus is { } plus && !reserved)
            {
                next[reached++] = new TrieStep(plus, TopicHash.OfPlus(step.Seed));
            }
        }

        return reached;
    }

    private int Texts(Span<TrieStep> current, Token token, Span<TrieStep> next, int reached)
    {
        foreach (ref var step in current)
        {
            step.EdgeHash = TopicHash.OfEdge(step.Seed, token.Hash);
            step.Hint = _edges.Peek(step.EdgeHash);
        }

        foreach (ref readonly var step in current)
        {
            if (step.Hint != 0 && step.Node.Children != 0 && _edges.Find(step.Node, token, step.EdgeHash) is { } child)
            {
                next[reached++] = new TrieStep(child, (uint)step.EdgeHash);
            }
        }

        return reached;
    }

    /// <summary>Starts loading the nodes; an object may lie on two cache lines.</summary>
    private static void Touch(Span<TrieStep> steps)
    {
        foreach (ref var step in steps)
        {
            step.Hint = step.Node.Children + (step.Node.Plus is null ? 0 : 1);
        }
    }

    private static void Append(TrieNode node, MatchScratch result)
    {
        if (node.One is { } one)
        {
            result.Append(one);
        }

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
