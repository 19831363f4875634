namespace Broker.Grains.Storage.Sqlite;

/// <summary>
/// Numbers that are never given twice, without a write per number. The store holds a mark that is above every number in use;
/// a start goes on at the mark. A commit raises the mark in its own transaction when the numbers given come near it, so no
/// committed row ever has a number above the mark. Numbers given and never committed leave gaps, which do no harm.
/// </summary>
internal sealed class NumberSequence
{
    private readonly long _block;
    private long _last;
    private long _mark;

    /// <param name="name">Name of the mark among the meta rows.</param>
    /// <param name="block">How far the mark is put above the last number.</param>
    /// <param name="mark">The mark as stored; 0 in a new store.</param>
    public NumberSequence(string name, long block, long mark)
    {
        Name = name;
        _block = block;
        _last = mark;
        _mark = mark;
    }

    public string Name { get; }

    public long Next() => Interlocked.Increment(ref _last);

    /// <summary>The mark to store with this transaction, or null while half of the block or more is left.</summary>
    public long? Mark()
    {
        var last = Volatile.Read(ref _last);
        return _mark - last >= _block / 2 ? null : last + _block;
    }

    /// <summary>The transaction with the mark was committed.</summary>
    public void Marked(long mark) => _mark = mark;
}
