using System.Net.Sockets;
using Broker.TestKit.Checks;

namespace Broker.Tests.T11_Flow;

/// <summary>Connections that are opened and say nothing at all, not even CONNECT.</summary>
[Collection(HeavyCollection.Name)]
public sealed class SilentConnectionTests() : OwnBrokerTest(("Runtime:HugePages", "false"), ("Limits:ConnectTimeout", "3s"))
{
    private const int Count = 10_000;

    // 14 KB each is what is due for an idle connection; twice that allows for a heap that is yet to be collected.
    private const long EachBytes = 28 * 1024;

    // 60 s for ten thousand ends on a busy machine.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static readonly HttpClient Http = new();

    [OwnFact]
    public async Task Ten_thousand_connections_that_send_nothing_are_closed_in_time_and_leave_nothing_behind()
    {
        await using var bystander = await Bystander.StartAsync(Broker);
        await bystander.MedianAsync();
        var before = Server.ResidentBytes;
        var peak = before;
        var sockets = new List<Socket>(Count);
        try
        {
            for (var number = 0; number < Count; number++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                sockets.Add(socket);
                await socket.ConnectAsync(Broker);
                if (number % 1000 == 0)
                {
                    peak = Math.Max(peak, Server.ResidentBytes);
                }
            }

            peak = Math.Max(peak, Server.ResidentBytes);
            await bystander.MedianAsync();
            using var limit = new CancellationTokenSource(Limit);
            foreach (var socket in sockets)
            {
                Assert.Equal(0, await ReadToEndAsync(socket, limit.Token));
            }
        }
        finally
        {
            sockets.ForEach(static socket => socket.Dispose());
        }

        Assert.InRange((peak - before) / Count, long.MinValue, EachBytes);
        await Eventually.TrueAsync(
            async () => await ConnectionsAsync() == 2, Limit, static () => "the broker has the connections of the bystander and no others");
        Assert.InRange((Server.ResidentBytes - before) / Count, long.MinValue, EachBytes / 2);
        await bystander.MedianAsync();
    }

    /// <summary>Bytes until the broker has closed the connection, one way or the other.</summary>
    private static async Task<int> ReadToEndAsync(Socket socket, CancellationToken limit)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1], limit);
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }

    private async Task<double> ConnectionsAsync() =>
        new PrometheusText(await Http.GetStringAsync(new Uri(((BrokerProcess)Server).Http, "/metrics")))["broker_connections"];
}
