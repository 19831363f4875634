using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Broker.Tests.T09_Auth;

/// <summary>
/// A balancer tells whose connection it is. Who may come without a user name shows which address the broker has taken: only this machine's.
/// </summary>
public sealed class ProxyProtocolTests() : OwnBrokerTest(
    ("Listeners:Mqtt:0:ProxyProtocolFrom", "127.0.0.2, 127.0.0.3"),
    ("Listeners:Mqtt:0:Access", "deny 203.0.113.7, allow all"),
    ("Limits:ConnectTimeout", "1s"))
{
    private const string Balancer = "127.0.0.2";

    private static readonly byte[] Signature = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    [OwnFact]
    public async Task Client_behind_a_balancer_has_the_address_that_the_balancer_tells()
    {
        Assert.Equal(ReasonCode.NotAuthorized, await AnswerAsync(Balancer, Line("198.51.100.1")));
        Assert.Equal(ReasonCode.Success, await AnswerAsync(Balancer, Line("127.0.0.9")));
        Assert.Equal(ReasonCode.NotAuthorized, await AnswerAsync(Balancer, Binary(0x21, 198, 51, 100, 1)));
        Assert.Equal(ReasonCode.Success, await AnswerAsync("127.0.0.3", Binary(0x21, 127, 0, 0, 9)));
    }

    [OwnFact]
    public async Task Header_may_come_in_pieces_and_together_with_CONNECT()
    {
        await using var client = await OpenAsync(Balancer);
        byte[] all = [.. Line("127.0.0.9"), .. Packets.Connect(client.Options)];
        foreach (var piece in all.Chunk(7))
        {
            await client.SendAsync(piece);
            await Task.Delay(5);
        }

        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
    }

    [OwnFact]
    public async Task Balancer_that_speaks_for_itself_keeps_its_address()
    {
        Assert.Equal(ReasonCode.Success, await AnswerAsync(Balancer, Binary(0x20, 198, 51, 100, 1)));
        Assert.Equal(ReasonCode.Success, await AnswerAsync(Balancer, "PROXY UNKNOWN\r\n"u8.ToArray()));
    }

    [OwnFact]
    public async Task Access_list_is_asked_about_the_client_and_not_about_the_balancer() =>
        Assert.Null(await AnswerAsync(Balancer, Line("203.0.113.7")));

    [OwnFact]
    public async Task Balancer_without_header_is_not_taken_for_a_client()
    {
        Assert.Null(await AnswerAsync(Balancer, []));
        Assert.Contains("Connection from 127.0.0.2 refused by Broker:Listeners:Mqtt:0:ProxyProtocolFrom", Server.Output.Text, StringComparison.Ordinal);
    }

    [OwnFact]
    public async Task Balancer_that_sends_half_a_header_is_closed_after_the_time_for_CONNECT()
    {
        await using var client = await OpenAsync(Balancer);
        await client.SendAsync(Line("127.0.0.9").AsMemory(0, 20));
        await client.ExpectCloseAsync();
    }

    [OwnFact]
    public async Task Nobody_else_is_believed() => Assert.Null(await AnswerAsync("127.0.0.1", Line("127.0.0.9")));

    [HAProxyFact]
    public async Task A_real_balancer_hands_the_address_of_its_clients_over()
    {
        foreach (var version in (string[])["send-proxy", "send-proxy-v2"])
        {
            using var folder = new TemporaryFolder();
            var port = FreePort();
            var file = Path.Combine(folder.Path, "haproxy.cfg");
            await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $"""
                defaults
                    mode tcp
                    timeout connect 2s
                    timeout client 60s
                    timeout server 60s
                listen mqtt
                    bind 127.0.0.1:{port}
                    server silo 127.0.0.1:{Broker.Port} source 127.0.0.2 {version}

                """));
            using var process = new Process { StartInfo = new ProcessStartInfo(HAProxy.Program!, ["-db", "-f", file]) { RedirectStandardError = true } };
            process.Start();
            try
            {
                await using var client = await ConnectedAsync(new IPEndPoint(IPAddress.Loopback, port));
                await client.SendAsync(Packets.Connect(client.Options));
                Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
                await client.PingAsync();
            }
            finally
            {
                process.Kill();
                await process.WaitForExitAsync();
            }
        }
    }

    /// <summary>The reason in CONNACK; null when the connection is closed without one.</summary>
    private async Task<ReasonCode?> AnswerAsync(string from, byte[] header)
    {
        await using var client = await OpenAsync(from);
        await client.TrySendAsync((byte[])[.. header, .. Packets.Connect(client.Options)]);
        return (await client.AnswerOrCloseAsync())?.Reason;
    }

    private Task<ScriptedClient> OpenAsync(string from) => ScriptedClient.OpenAsync(Broker, from: IPAddress.Parse(from));

    /// <summary>The balancer listens some milliseconds after its start.</summary>
    private static async Task<ScriptedClient> ConnectedAsync(IPEndPoint address)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                return await ScriptedClient.OpenAsync(address);
            }
            catch (SocketException) when (i < 200)
            {
                await Task.Delay(25);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static byte[] Line(string client) => Encoding.ASCII.GetBytes($"PROXY TCP4 {client} 127.0.0.1 50000 1883\r\n");

    private static byte[] Binary(byte command, params byte[] client) =>
        [.. Signature, command, 0x11, 0, 12, .. client, 127, 0, 0, 1, 0xC3, 0x50, 0x07, 0x5B];
}
