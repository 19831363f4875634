namespace Broker.Grains.Routing;

/// <summary>A place whose word agrees with the hash of a filter that a match looks for; its key is still to be compared.</summary>
internal struct FilterFind
{
    public FilterShard Shard;

    public int Place;

    /// <summary>Number of its shape in the plan.</summary>
    public int Shape;
}
