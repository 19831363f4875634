namespace Broker.Grains.Routing;

/// <summary>
/// A path of levels that wildcard filters begin with. Steps along a text are in the <see cref="EdgeTable" />, the step
/// along '+' is a field. A node never changes its path and is not used again after it was removed.
/// </summary>
internal sealed class TrieNode(TrieNode? parent, Token? token, uint seed)
{
    public readonly TrieNode? Parent = parent;

    /// <summary>The last level of the path; null for '+' and for the root.</summary>
    public readonly Token? Token = token;

    /// <summary>The node for one more '+'.</summary>
    public TrieNode? Plus;

    /// <summary>First subscriber of the filter that ends here.</summary>
    public object? One;

    /// <summary>First subscriber of the filter that goes on with '#' from here.</summary>
    public object? BelowOne;

    /// <summary>Second and further subscribers of both.</summary>
    public TrieOverflow? Overflow;

    /// <summary>Mixed with the hash of a level to find the step; not unique.</summary>
    public readonly uint Seed = seed;

    /// <summary>Number of steps along a text.</summary>
    public int Children;

    /// <summary>Whether no filter ends here or goes through. Under the lock.</summary>
    public bool IsEmpty => Children == 0 && Plus is null && One is null && BelowOne is null && Overflow is null;
}
