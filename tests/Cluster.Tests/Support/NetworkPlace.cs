using System.Net;

namespace Broker.Cluster.Tests.Support;

/// <summary>One end of the links of a <see cref="SiloNetwork"/>.</summary>
/// <param name="Name">In failure texts, and of its port on the switch.</param>
/// <param name="Address">Its address.</param>
/// <param name="Namespace">Its network namespace; null: the one of the test process.</param>
/// <param name="Interface">Its interface there.</param>
internal sealed record NetworkPlace(string Name, IPAddress Address, string? Namespace, string Interface)
{
    /// <summary>First arguments of <c>ip</c>: where the command acts.</summary>
    public string[] In => Namespace is null ? [] : ["-n", Namespace];
}
