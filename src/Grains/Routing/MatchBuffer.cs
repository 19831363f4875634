namespace Broker.Grains.Routing;

/// <summary>
/// Where <see cref="FilterIndex{T}" /> puts its results. One per thread (or per reader), reused for every match;
/// it must not be used by two threads at once. It grows with the largest result and gives the memory back after
/// some matches that need much less.
/// </summary>
public sealed class MatchBuffer<T>
    where T : class
{
    internal MatchScratch Scratch { get; } = new();
}
