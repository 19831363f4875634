using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>Where MQTT clients connect. Section <c>Broker:Listeners</c>.</summary>
public sealed class ListenersOptions
{
    /// <summary>Endpoints for MQTT over TCP (<c>Broker:Listeners:Mqtt:0:Port</c> and so on). One on port 1883 when none is given.</summary>
    public List<ListenerEndpoint> Mqtt { get; set; } = [new()];

    /// <summary>Connections at a time, over all endpoints together. One more is closed at once.</summary>
    [Allowed("0", "10000000", ZeroMeans = "unlimited")]
    public int MaxConnections { get; set; } = 0;

    /// <summary>
    /// Connections that the kernel holds until the broker accepts them. The kernel cuts it to net.core.somaxconn.
    /// </summary>
    // 4096: what Linux has had as somaxconn since 5.4; less makes a reconnect storm wait for SYN retries.
    [Allowed("1", "65535")]
    public int Backlog { get; set; } = 4096;
}
