namespace Broker.Grains.Cluster;

/// <summary>A silo that may have sessions, as the database has it.</summary>
/// <param name="IsOfCluster">Whether it is of this cluster, and not of another one with the same database.</param>
/// <param name="Lives">Whether it is a member and in its time; otherwise its sessions are, or will be, for whoever takes them over.</param>
public readonly record struct OtherSilo(SiloAddress Silo, bool IsOfCluster, bool Lives);
