using System.Net.Sockets;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;

namespace Broker.Gateway.Tests.Hosting;

/// <summary>The system says that a port is not allowed, and not which.</summary>
public sealed class StartupFailureTests
{
    private static readonly SocketException Denied = new((int)SocketError.AccessDenied);

    [Theory]
    [InlineData(80, 1883, 8080, "the MQTT port 80 (--mqtt, Broker:Listeners:Mqtt:0:Port) needs rights that this process does not have")]
    [InlineData(1883, 1023, 8080, "the MQTT port 1023 (Broker:Listeners:Mqtt:1:Port) needs rights that this process does not have")]
    [InlineData(1883, 1884, 80, "the HTTP port 80 (--http, Broker:Http:Port) needs rights that this process does not have")]
    public void Port_that_is_not_allowed_is_named_with_its_key(int first, int second, int http, string expected) =>
        Assert.Equal(expected, StartupFailure.Explain(Denied, Options(first, second, http)));

    [Theory]
    [InlineData(80, 1883, 443, "port 443 ", "port 80 ")]
    [InlineData(1883, 0, 8080, "port 8080 ", "port 1883 ")]
    public void Ports_are_all_named_when_it_may_be_any(int first, int second, int http, params string[] expected)
    {
        var line = StartupFailure.Explain(Denied, Options(first, second, http));

        Assert.All(expected, port => Assert.Contains(port, line, StringComparison.Ordinal));
        Assert.Equal(expected.Length, line!.Split(" or ").Length);
    }

    private static BrokerOptions Options(int first, int second, int http)
    {
        var options = new BrokerOptions();
        options.Listeners.Mqtt = [new ListenerEndpoint { Port = first }, new ListenerEndpoint { Port = second }];
        options.Http.Port = http;
        return options;
    }
}
