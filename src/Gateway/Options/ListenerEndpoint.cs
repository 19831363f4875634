using Broker.Gateway.Listeners;
using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>An address and port that accepts connections.</summary>
public sealed class ListenerEndpoint
{
    /// <summary>An IPv4 or IPv6 address, <c>localhost</c>, or <c>*</c> for every address of both families.</summary>
    [AllowedText(ListenAddress.Allowed)]
    public string Address { get; set; } = "*";

    /// <summary>TCP port. The banner says which one it became.</summary>
    [Allowed("0", "65535", ZeroMeans = "any free one")]
    public int Port { get; set; } = 1883;

    /// <summary>Connections at a time to this endpoint. One more is closed at once.</summary>
    [Allowed("0", "10000000", ZeroMeans = "as many as Listeners:MaxConnections allows")]
    public int MaxConnections { get; set; }

    /// <summary>
    /// Which addresses may connect: <c>allow RANGE</c> and <c>deny RANGE</c>, separated by commas, of which the first that matches decides. Empty:
    /// all may. Otherwise whom no rule names may not.
    /// </summary>
    [AllowedText(AccessList.Allowed)]
    public string Access { get; set; } = "";

    /// <summary>
    /// Balancers that begin each connection with a PROXY header, version 1 or 2, and so tell whose it is; then that is the client's address for
    /// everything. A connection from one of them without the header is closed. Nobody else is believed.
    /// </summary>
    [AllowedText(AddressRanges.Allowed)]
    public string ProxyProtocolFrom { get; set; } = "";
}
