using System.Net;
using System.Net.Sockets;
using Broker.Gateway.Auth;

namespace Broker.Gateway.Listeners;

/// <summary>
/// IP addresses as rules name them: <c>all</c>, one address, or a network <c>ADDRESS/BITS</c>. Clients are compared in the form of
/// <see cref="RemoteAddress"/>, so a range of IPv4-mapped addresses is one of IPv4.
/// </summary>
internal readonly record struct AddressRange
{
    /// <summary>What a refused value is told to be.</summary>
    public const string Allowed = "all, an IPv4 or IPv6 address, or a network such as 10.0.0.0/8 or fd00::/8";

    // ::ffff:0:0/96 (RFC 4291 section 2.5.5.2).
    private const int MappedPrefix = 96;

    private readonly bool _isAll;
    private readonly IPNetwork? _network;

    private AddressRange(bool isAll, IPNetwork? network) => (_isAll, _network) = (isAll, network);

    /// <param name="range">Nobody's when the text is none.</param>
    public static bool TryParse(string text, out AddressRange range)
    {
        range = new AddressRange(isAll: text.Equals("all", StringComparison.OrdinalIgnoreCase), null);
        if (range._isAll)
        {
            return true;
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var address = slash < 0 ? text : text[..slash];
        if (!TryParseAddress(address, out var start))
        {
            return false;
        }

        // Bits after the prefix mean a slip: of the address, or of the length.
        var whole = slash < 0 ? $"{text}/{(start.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)}" : text;
        if (!IPNetwork.TryParse(whole, out var parsed) || !parsed.BaseAddress.Equals(start))
        {
            return false;
        }

        range = new AddressRange(isAll: false, Unmapped(parsed));
        return true;
    }

    /// <param name="address">As <see cref="RemoteAddress"/> gives it.</param>
    public bool Contains(IPAddress address) => _isAll || (_network is { } network && network.Contains(address));

    private static bool TryParseAddress(string text, out IPAddress address)
    {
        // The parser also takes 1.2.3 for 1.2.0.3, 010.0.0.1 for 8.0.0.1, and an interface behind %.
        var isGiven = IPAddress.TryParse(text, out var parsed);
        address = parsed ?? IPAddress.None;
        return isGiven && (address.AddressFamily == AddressFamily.InterNetwork
            ? address.ToString() == text
            : !text.AsSpan().ContainsAny('%', '['));
    }

    private static IPNetwork Unmapped(IPNetwork network) =>
        network.BaseAddress.IsIPv4MappedToIPv6 && network.PrefixLength >= MappedPrefix
            ? new IPNetwork(network.BaseAddress.MapToIPv4(), network.PrefixLength - MappedPrefix)
            : network;
}
