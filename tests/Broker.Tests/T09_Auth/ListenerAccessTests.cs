using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Broker.TestKit.Checks;

namespace Broker.Tests.T09_Auth;

/// <summary>Each listener has its own list of the addresses that may connect to it.</summary>
public sealed class ListenerAccessTests() : OwnBrokerTest(
    ("Listeners:Mqtt:0:Access", "deny 127.0.0.2, allow 127.0.0.0/8, allow ::1"),
    ("Listeners:Mqtt:1:Port", "0"),
    ("Listeners:Mqtt:1:Access", "allow 127.0.0.2"),
    ("Listeners:Mqtt:1:MaxConnections", "1"),
    ("Listeners:MaxConnections", "3"))
{
    private static readonly HttpClient Http = new();

    private int First => PortOf(0);

    private int Second => PortOf(1);

    [OwnFact]
    public async Task Client_gets_in_where_the_list_of_the_listener_allows_its_address()
    {
        await ServedAsync("127.0.0.1", First);
        await ServedAsync("127.0.0.3", First);
        await ServedAsync("::1", First);
        await ServedAsync("127.0.0.2", Second);
    }

    [OwnFact]
    public async Task Client_is_closed_at_once_where_the_list_does_not_allow_it_and_counted()
    {
        await RefusedAsync("127.0.0.2", First);
        await RefusedAsync("127.0.0.1", Second);
        await RefusedAsync("::1", Second);

        var page = await ReadAsync();
        Assert.Equal(3, page["broker_connections_denied_total"]);
        Assert.Equal(3, page["broker_connections_refused_total"]);
        Assert.Equal(0, page["broker_connections"]);
        Assert.Single(Regex.Matches(Server.Output.Text, @"Connection from 127\.0\.0\.2 refused by Broker:Listeners:Mqtt:0:Access"));
    }

    [OwnFact]
    public async Task Refused_connections_take_nothing_from_those_that_come_after_them()
    {
        for (var i = 0; i < 200; i++)
        {
            await RefusedAsync("127.0.0.2", First);
        }

        await using var first = await ConnectedAsync("127.0.0.1", First);
        await using var second = await ConnectedAsync("127.0.0.1", First);
        await using var third = await ConnectedAsync("127.0.0.1", First);
        await first.PingAsync();
        await second.PingAsync();
        await third.PingAsync();
        Assert.True(Regex.Count(Server.Output.Text, "refused by Broker:Listeners") < 10);
        Assert.Equal(200, (await ReadAsync())["broker_connections_denied_total"]);
    }

    [OwnFact]
    public async Task Endpoint_takes_as_many_connections_as_it_may_have_and_leaves_the_others_theirs()
    {
        await using (await ConnectedAsync("127.0.0.2", Second))
        {
            await RefusedAsync("127.0.0.2", Second);
            await ServedAsync("127.0.0.1", First);
        }

        await Eventually.TrueAsync(
            async () => (await ReadAsync())["broker_connections"] == 0, TimeSpan.FromSeconds(10), () => "the first connection has gone");
        await ServedAsync("127.0.0.2", Second);
        Assert.Equal(0, (await ReadAsync())["broker_connections_denied_total"]);
    }

    private static async Task ServedAsync(string from, int port)
    {
        await using var client = await ConnectedAsync(from, port);
        await client.PingAsync();
        await client.DisconnectAsync();
    }

    /// <summary>It sends nothing: the broker does not wait for what it would say.</summary>
    private static async Task RefusedAsync(string from, int port)
    {
        try
        {
            await using var client = await OpenAsync(from, port);
            await client.ExpectCloseAsync();
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed while the client still takes note of being connected.
        }
    }

    private static async Task<ScriptedClient> ConnectedAsync(string from, int port)
    {
        var client = await OpenAsync(from, port);
        await client.SendAsync(Packets.Connect(client.Options));
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
        return client;
    }

    private static Task<ScriptedClient> OpenAsync(string from, int port)
    {
        var address = IPAddress.Parse(from);
        return ScriptedClient.OpenAsync(new IPEndPoint(from == "::1" ? address : IPAddress.Loopback, port), from: address);
    }

    private int PortOf(int listener) =>
        int.Parse(Regex.Matches(Server.Output.Text, @"mqtt   mqtt://\S+:(\d+)")[listener].Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    private async Task<PrometheusText> ReadAsync() =>
        new(await Http.GetStringAsync(new Uri(((BrokerProcess)Server).Http, "/metrics")));
}
