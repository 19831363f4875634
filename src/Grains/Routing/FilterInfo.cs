namespace Broker.Grains.Routing;

/// <summary>A topic filter and the number of its subscribers, as an inspection of the index found them.</summary>
/// <param name="Filter">The filter, UTF-8; a copy that belongs to the caller.</param>
/// <param name="Subscribers">Number of subscribers of exactly this filter.</param>
public readonly record struct FilterInfo(ReadOnlyMemory<byte> Filter, int Subscribers);
