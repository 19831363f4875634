using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Broker.Grains.Tests.Storage;

/// <summary>A way to the database on which everything arrives at the server, while its answers can be lost.</summary>
internal sealed class LossyLink : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _server;
    private readonly Lock _gate = new();
    private readonly List<Socket> _sockets = [];
    private readonly List<Task> _pumps = [];
    private readonly Task _accepting;
    private volatile bool _losesAnswers;

    /// <param name="connectionString">Of the server itself.</param>
    public LossyLink(string connectionString)
    {
        var direct = new NpgsqlConnectionStringBuilder(connectionString);
        _server = direct.Port;
        _listener.Start();
        direct.Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        ConnectionString = direct.ConnectionString;
        _accepting = AcceptAsync();
    }

    /// <summary>The same database by way of the link.</summary>
    public string ConnectionString { get; }

    /// <summary>From here on no answer arrives.</summary>
    public void LoseAnswers() => _losesAnswers = true;

    /// <summary>Ends the connections that are open; new ones work.</summary>
    public void Heal()
    {
        lock (_gate)
        {
            _sockets.ForEach(static socket => socket.Dispose());
            _sockets.Clear();

            // Last: of the connections that had it no answer gets through any more.
            _losesAnswers = false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Heal();
        await Task.WhenAll(_pumps);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await server.ConnectAsync(IPAddress.Loopback, _server, _stop.Token);
                lock (_gate)
                {
                    _sockets.AddRange([client, server]);
                    _pumps.AddRange([PumpAsync(client, server, answers: false), PumpAsync(server, client, answers: true)]);
                }
            }
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            // The test is over.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool answers)
    {
        var buffer = new byte[65_536];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                if (!answers || !_losesAnswers)
                {
                    await to.SendAsync(buffer.AsMemory(0, count));
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The other side, or the test, has ended the connection.
        }
    }
}
