namespace Broker.Grains.Cluster;

/// <summary>Where a client's session, or its Will, is.</summary>
/// <param name="Number">Session's number; 0 when there is only a Will.</param>
/// <param name="Owner">Process that has it.</param>
/// <param name="Silo">Its silo; null when it is not known.</param>
/// <param name="IsFenced">Whether that silo is out of the cluster and out of time, so that the session may be taken.</param>
/// <param name="Epoch">Session's epoch; 0 when there is only a Will.</param>
public sealed record SessionPlace(long Number, long Owner, SiloAddress? Silo, bool IsFenced, long Epoch);
