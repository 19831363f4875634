using Broker.Gateway.Listeners;
using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>Where health, metrics, the dashboard and the HTTP interface are served. Section <c>Broker:Http</c>.</summary>
public sealed class HttpOptions
{
    /// <summary>An IPv4 or IPv6 address, <c>localhost</c>, or <c>*</c> for every address of both families.</summary>
    [AllowedText(ListenAddress.Allowed)]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>TCP port. The banner says which one it became.</summary>
    [Allowed("0", "65535", ZeroMeans = "any free one")]
    public int Port { get; set; } = 8080;

    /// <summary>Requests of <c>/api/v1/publish</c> at a time; further ones get 503 with Retry-After. Each may have a body of 16 MiB.</summary>
    // 64: more than a store needs to have its commits full.
    [Allowed("1", "10000")]
    public int MaxPublishRequests { get; set; } = 64;
}
