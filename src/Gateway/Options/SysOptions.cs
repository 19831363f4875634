using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>What the broker says about itself under <c>$SYS</c>. Section <c>Broker:Sys</c>.</summary>
public sealed class SysOptions
{
    /// <summary>Time between two publications of the whole tree.</summary>
    [Allowed("0s", "1d", ZeroMeans = "off")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether clients that connect and disconnect are announced, as long as anybody subscribes to a topic that begins with <c>$</c>.</summary>
    public bool Presence { get; set; } = true;

    /// <summary>Name of this broker in the topics; not set: the machine's, in a cluster with the port for the other silos.</summary>
    [AllowedText("a text without /, + and #")]
    public string Node { get; set; } = "";

    /// <summary>Users who may subscribe to <c>$SYS</c> and to <c>#</c> from other machines.</summary>
    [AllowedText("user names, separated by commas")]
    public string Readers { get; set; } = "";
}
