namespace Broker.Grains.Routing;

/// <summary>Where the levels of a topic are and what their hashes are, so that the hash of any filter for it is a few additions.</summary>
internal sealed class TopicLevels
{
    private const int SmallSize = 32;

    private int[] _starts = new int[SmallSize + 1];
    private ulong[] _hashes = new ulong[SmallSize];
    private ulong[] _sums = new ulong[SmallSize + 1];

    /// <summary>Number of levels, at least 1.</summary>
    public int Count { get; private set; }

    /// <summary>Entries that the arrays have room for.</summary>
    public int Capacity => _hashes.Length;

    /// <summary>Takes a topic apart.</summary>
    public void Read(ReadOnlySpan<byte> topic)
    {
        var count = 0;
        var start = 0;
        var sum = 0ul;
        foreach (var level in new LevelReader(topic))
        {
            if (count == _hashes.Length)
            {
                Grow();
            }

            var hash = TopicHash.OfLevel(count, level);
            _hashes[count++] = hash;
            _sums[count] = sum += hash;
            _starts[count] = start += level.Length + 1;
        }

        Count = count;
    }

    /// <summary>Where a level begins.</summary>
    public int Start(int level) => _starts[level];

    /// <summary>Where a level ends: at its separator, or at the end of the topic.</summary>
    public int End(int level) => _starts[level + 1] - 1;

    /// <summary>Hash of a level in its place.</summary>
    public ulong Hash(int level) => _hashes[level];

    /// <summary>Sum of the hashes of the first levels.</summary>
    public ulong Sum(int levels) => _sums[levels];

    private void Grow()
    {
        var size = _hashes.Length * 2;
        Array.Resize(ref _hashes, size);
        Array.Resize(ref _starts, size + 1);
        Array.Resize(ref _sums, size + 1);
    }
}
