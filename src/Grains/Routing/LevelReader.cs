namespace Broker.Grains.Routing;

/// <summary>The levels of a topic or filter from left to right. Empty levels count: "/a" has two, "" has one.</summary>
internal ref struct LevelReader(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;
    private bool _done;

    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly LevelReader GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_done)
        {
            return false;
        }

        var end = _rest.IndexOf((byte)'/');
        if (end < 0)
        {
            Current = _rest;
            _done = true;
        }
        else
        {
            Current = _rest[..end];
            _rest = _rest[(end + 1)..];
        }

        return true;
    }

    /// <summary>The first level alone.</summary>
    public static ReadOnlySpan<byte> First(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf((byte)'/');
        return end < 0 ? text : text[..end];
    }
}
