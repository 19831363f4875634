namespace Broker.Grains.Routing;

/// <summary>A place whose word agrees with the hash of a filter that a match looks for; its key is still to be compared.</summary>
internal struct FilterFind
{
    /// <summary>Where it is.</summary>
    public FilterShard Shard;

    /// <summary>Number of the place there.</summary>
    public int Place;

    /// <summary>Number of its shape in the plan.</summary>
    public int Shape;
}
