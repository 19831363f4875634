namespace Broker.Grains.Routing;

/// <summary>
/// Where <see cref="FilterIndex{T}" /> puts its results. One per thread (or per reader), reused for every match;
/// it must not be used by two threads at once.
/// </summary>
public sealed class MatchBuffer<T>
    where T : class
{
    internal List<T> Items { get; } = [];

    internal T[] Results { get; set; } = [];
}
