namespace Broker.Grains.Cluster;

/// <summary>How the cluster uses the database beside the messages.</summary>
public sealed class ClusterStoreOptions
{
    /// <summary>Npgsql connection string.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>Name of the cluster in the membership.</summary>
    public required string Cluster { get; init; }

    /// <summary>How long two living silos may fail to reach each other before one of them leaves; zero: for ever.</summary>
    public TimeSpan LinkTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a silo may live without reaching the database, while others reach it, before they declare it dead; zero: for ever.
    /// </summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>
    /// How long a silo may acknowledge after it was last in touch with the database, and so how long the others wait
    /// before they take over the sessions of one that is dead.
    /// </summary>
    public TimeSpan SiloTime { get; init; } = TimeSpan.FromSeconds(2);
}
