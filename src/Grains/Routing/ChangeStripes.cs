namespace Broker.Grains.Routing;

/// <summary>
/// Counts changes by the first level of the filter, so that a change below "a/" leaves cached results for "b/" alone.
/// Filters whose first level is a wildcard touch every topic and have a count of their own.
/// </summary>
/// <remarks>
/// A writer changes the index first and counts afterwards; a reader takes the stamp first and matches afterwards. A result
/// that may lack a change thus carries a stamp from before it, and that stamp does not hold once the writer returned.
/// </remarks>
internal sealed class ChangeStripes
{
    private const int StripeCount = 256;

    // A cache line for each, or a busy stripe would slow down readers of its neighbours.
    private const int Spacing = 8;

    private readonly long[] _changes = new long[(StripeCount + 2) * Spacing];

    /// <summary>The stamp for topics with this first level.</summary>
    public MatchStamp Take(ReadOnlySpan<byte> firstLevel)
    {
        var stripe = StripeOf(firstLevel);
        return new MatchStamp(stripe, Volatile.Read(ref _changes[stripe]), Volatile.Read(ref _changes[0]));
    }

    public bool Holds(in MatchStamp stamp) =>
        Volatile.Read(ref _changes[stamp.Stripe]) == stamp.Changes && Volatile.Read(ref _changes[0]) == stamp.WildChanges;

    /// <summary>Counts a change of a filter with this first level. Under the lock.</summary>
    public void Count(ReadOnlySpan<byte> firstLevel)
    {
        ref var changes = ref _changes[firstLevel is [(byte)'+' or (byte)'#'] ? 0 : StripeOf(firstLevel)];
        Volatile.Write(ref changes, changes + 1);
    }

    private static int StripeOf(ReadOnlySpan<byte> firstLevel) =>
        ((int)(TopicHash.Of(firstLevel) & (StripeCount - 1)) + 1) * Spacing;
}
