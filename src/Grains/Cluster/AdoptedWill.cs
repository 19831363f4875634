using Broker.Grains.Storage;

namespace Broker.Grains.Cluster;

/// <summary>A Will that was another silo's.</summary>
/// <param name="DownFor">For how many milliseconds that silo had been out of its time; 0 when it is not known.</param>
public readonly record struct AdoptedWill(WillRow Row, long DownFor);
