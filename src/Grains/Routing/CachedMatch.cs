namespace Broker.Grains.Routing;

/// <summary>The result of a match, unchanging, and the stamps that must still hold for it to be right.</summary>
internal sealed class CachedMatch(ulong hash, byte[] topic, object?[] results, MatchStamp stamp)
{
    // Three object headers, two array lengths and the fields.
    private const int Overhead = 120;

    public readonly ulong Hash = hash;
    public readonly byte[] Topic = topic;
    public readonly object?[] Results = results;
    public readonly MatchStamp Stamp = stamp;

    /// <summary>Number of results; here, so that a hit need not load the array.</summary>
    public readonly int Count = results.Length;

    /// <summary>Heap bytes, about.</summary>
    public int Bytes => SizeOf(Topic.Length, Results.Length);

    /// <summary>Heap bytes of an entry for a topic and a result of these lengths, about.</summary>
    public static int SizeOf(int topicBytes, int results) => Overhead + topicBytes + (results * IntPtr.Size);
}
