namespace Broker.Grains.Routing;

/// <summary>Second and further subscribers of the filters of a <see cref="TrieNode" />; most nodes have none.</summary>
internal sealed class TrieOverflow
{
    /// <summary>Of the filter that ends at the node.</summary>
    public SubscriberSet? More;

    /// <summary>Of the filter that goes on with '#'.</summary>
    public SubscriberSet? BelowMore;
}
