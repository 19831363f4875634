using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Broker.TestKit.Servers;

/// <summary>A TCP proxy that fails on command: cuts connections, holds bytes back, or delays them.</summary>
public sealed class CuttingProxy : IAsyncDisposable
{
    private readonly EndPoint _target;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentDictionary<ProxiedConnection, Task> _connections = [];
    private readonly Task _accepting;

    public CuttingProxy(EndPoint target)
    {
        _target = target;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Endpoint = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    public IPEndPoint Endpoint { get; }

    public ProxyConditions Conditions { get; } = new();

    /// <summary>Resets every connection, both sides.</summary>
    public void Cut()
    {
        foreach (var connection in _connections.Keys)
        {
            connection.Reset();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        Conditions.Thaw();
        Cut();
        await Task.WhenAll(_connections.Values);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync();
                var connection = new ProxiedConnection(client, Conditions);
                _connections[connection] = connection.RunAsync(_target);
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The listener was disposed: the proxy is going away.
        }
    }
}
