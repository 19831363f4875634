namespace Broker.Grains.Routing;

/// <summary>
/// The text of a level that some wildcard filter names, kept once. Compared by reference in the trie: a number could be
/// given to another text while a reader still holds it, an object cannot.
/// </summary>
internal sealed class Token(byte[] text, ulong hash)
{
    public readonly byte[] Text = text;
    public readonly ulong Hash = hash;

    /// <summary>Number of trie nodes that it leads to. Writers only.</summary>
    public int References;
}
