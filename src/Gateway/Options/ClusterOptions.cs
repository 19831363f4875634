using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>How this silo and the others of its cluster reach each other; with the Postgres store only. Section <c>Broker:Cluster</c>.</summary>
public sealed class ClusterOptions
{
    /// <summary>Silos of one database with the same name are one cluster.</summary>
    [AllowedText("up to 150 characters")]
    public string Name { get; set; } = "broker";

    /// <summary>IP address that the other silos find this one at; empty: the one that this machine reaches the database from.</summary>
    [AllowedText("an IP address, or nothing")]
    public string Address { get; set; } = "";

    /// <summary>Port for the other silos.</summary>
    [Allowed("0", "65535", ZeroMeans = "any free one")]
    public int Port { get; set; } = 0;

    /// <summary>
    /// How long two living silos may fail to reach each other, while others reach both, before one of them leaves and joins
    /// again when its links are whole.
    /// </summary>
    [Allowed("0s", "1h", ZeroMeans = "for ever")]
    public TimeSpan LinkTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a silo may live without reaching the database, while others reach it, before they declare it dead, take its sessions
    /// over, and it begins again; at least ten seconds, if any.
    /// </summary>
    [Allowed("0s", "1d", ZeroMeans = "for ever")]
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromMinutes(3);
}
