using System.Net;
using System.Net.Sockets;

namespace Broker.TestKit.Servers;

/// <summary>One connection through the proxy: two copying loops.</summary>
internal sealed class ProxiedConnection(Socket client, ProxyConditions conditions) : IDisposable
{
    private readonly Socket _broker = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private long _toClient;

    public async Task RunAsync(EndPoint target)
    {
        client.NoDelay = true;
        try
        {
            await _broker.ConnectAsync(target);
            await Task.WhenAll(CopyAsync(client, _broker, isToClient: false), CopyAsync(_broker, client, isToClient: true));
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // One side is gone; the other must notice.
        }

        Reset();
    }

    public void Dispose() => Reset();

    public void Reset()
    {
        foreach (var socket in (Socket[])[client, _broker])
        {
            try
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                // Already closed, which is what is wanted.
            }

            socket.Dispose();
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool isToClient)
    {
        var buffer = new byte[16 << 10];
        int count;
        while ((count = await from.ReceiveAsync(buffer)) > 0)
        {
            await conditions.PassAsync();
            var allowed = isToClient ? Math.Min(count, conditions.BytesToClientBeforeCut - _toClient) : count;
            for (var sent = 0; sent < allowed;)
            {
                sent += await to.SendAsync(buffer.AsMemory(sent, (int)allowed - sent));
            }

            _toClient += isToClient ? allowed : 0;
            if (allowed < count)
            {
                Reset();
                return;
            }
        }

        to.Shutdown(SocketShutdown.Send);
    }
}
