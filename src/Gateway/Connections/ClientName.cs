using System.Text;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>Which Client Identifiers clients of the network may have, by MQTT and by HTTP.</summary>
internal static class ClientName
{
    /// <summary>What the names of subscribers in the broker's own process begin with.</summary>
    public const string ApplicationPrefix = "$app/";

    /// <summary>
    /// Not longer than allowed, which is 23 bytes or more [MQTT-3.1.3-5], and no name of a group or of a subscriber in the broker's own
    /// process: those have sessions of such names.
    /// </summary>
    /// <param name="maxLength">Bytes of UTF-8.</param>
    public static bool IsAllowed(string clientId, int maxLength) =>
        Encoding.UTF8.GetByteCount(clientId) <= maxLength
        && !SharedFilter.IsShared(clientId) && !clientId.StartsWith(ApplicationPrefix, StringComparison.Ordinal);
}
