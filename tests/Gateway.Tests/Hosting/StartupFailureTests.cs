using System.Net.Sockets;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;
using Broker.Grains.Options;

namespace Broker.Gateway.Tests.Hosting;

/// <summary>The system says that a port is not allowed, or that an address is not there, and not which.</summary>
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

    // 203.0.113.0/24 is for documents (RFC 5737): no machine has an address of it.
    [Theory]
    [InlineData("203.0.113.7", "*", "127.0.0.1", "Broker:Http:Address=203.0.113.7 cannot be listened at")]
    [InlineData("127.0.0.1", "127.0.0.1", "203.0.113.7", "Broker:Listeners:Mqtt:1:Address=203.0.113.7 cannot be listened at")]
    [InlineData("203.0.113.7", "203.0.113.8", "*", "Broker:Http:Address=203.0.113.7 or Broker:Listeners:Mqtt:0:Address=203.0.113.8 cannot")]
    [InlineData("127.0.0.1", "*", "*", "Broker:Http:Address=127.0.0.1 cannot be listened at")]
    public void Address_that_is_not_there_is_named_with_its_key(string http, string first, string second, string expected)
    {
        var options = Options(0, 0, 0);
        options.Http.Address = http;
        options.Listeners.Mqtt[0].Address = first;
        options.Listeners.Mqtt[1].Address = second;

        var line = StartupFailure.Explain(new SocketException((int)SocketError.AddressNotAvailable), options);

        Assert.StartsWith(expected, line, StringComparison.Ordinal);
    }

    [Fact]
    public void Address_for_the_other_silos_is_named_where_there_can_be_others()
    {
        var options = Options(0, 0, 0);
        options.Cluster.Address = "203.0.113.7";
        options.Store.Kind = StoreKind.Postgres;

        var line = StartupFailure.Explain(new SocketException((int)SocketError.AddressNotAvailable), options);

        Assert.StartsWith("Broker:Cluster:Address=203.0.113.7 cannot be listened at", line, StringComparison.Ordinal);
    }

    private static BrokerOptions Options(int first, int second, int http)
    {
        var options = new BrokerOptions();
        options.Listeners.Mqtt = [new ListenerEndpoint { Port = first }, new ListenerEndpoint { Port = second }];
        options.Http.Port = http;
        return options;
    }
}
