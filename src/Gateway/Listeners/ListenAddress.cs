using System.Net;

namespace Broker.Gateway.Listeners;

/// <summary>The address of an endpoint as configuration writes it.</summary>
internal static class ListenAddress
{
    /// <summary>What a refused value is told to be.</summary>
    public const string Allowed = "an IPv4 or IPv6 address, localhost, or * for every address";

    /// <summary>Parses it; <paramref name="address"/> is null for every address of both families.</summary>
    public static bool TryParse(string text, out IPAddress? address)
    {
        address = null;
        if (text is "*")
        {
            return true;
        }

        if (string.Equals(text, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            address = IPAddress.Loopback;
            return true;
        }

        return IPAddress.TryParse(text, out address);
    }
}
