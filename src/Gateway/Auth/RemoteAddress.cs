using System.Net;

namespace Broker.Gateway.Auth;

/// <summary>The address of a peer, in the form in which addresses are compared.</summary>
public static class RemoteAddress
{
    /// <summary>
    /// The address without port. A dual-stack listener shows IPv4 peers as <c>::ffff:1.2.3.4</c>; that is undone here, or 127.0.0.2
    /// would not count as loopback. A peer without IP address (a Unix socket) is on this machine.
    /// </summary>
    public static IPAddress Of(EndPoint? peer) => peer is IPEndPoint { Address: var address }
        ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address
        : IPAddress.Loopback;

    /// <summary>The address, or null where <see cref="IPAddress.None"/> stands for one that is not known.</summary>
    public static IPAddress? Known(IPAddress address) => address.Equals(IPAddress.None) ? null : address;
}
