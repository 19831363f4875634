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

    /// <summary>
    /// Which addresses may connect: <c>allow RANGE</c> and <c>deny RANGE</c>, separated by commas, of which the first that matches decides. Empty:
    /// all may. Otherwise whom no rule names may not.
    /// </summary>
    [AllowedText(AccessList.Allowed)]
    public string Access { get; set; } = "";
}
