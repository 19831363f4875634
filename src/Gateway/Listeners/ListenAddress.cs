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

        // The parser also takes 1.2.3 for 1.2.0.3, which nobody means.
        return (text.Contains(':', StringComparison.Ordinal) || text.Count(c => c == '.') == 3) &&
            IPAddress.TryParse(text, out address);
    }
}
