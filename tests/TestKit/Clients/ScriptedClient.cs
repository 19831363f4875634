using System.Net;
using System.Net.Sockets;
using Broker.Protocol;
using Broker.TestKit.Wire;

namespace Broker.TestKit.Clients;

/// <summary>
/// An MQTT client that does what the test says and nothing else: it acknowledges nothing by itself (unless
/// <see cref="AcknowledgesByItself"/>), never reconnects, and keeps every packet until the test asks for it.
/// </summary>
public sealed partial class ScriptedClient : IAsyncDisposable
{
    // 10 s: far above what any answer takes on a loaded machine, so a miss is a defect and not a slow moment.
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;
    private readonly Inbox _inbox = new();
    private readonly History _history = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly Task _reader;
    private int _lastPacketId;

    private ScriptedClient(Socket socket, ConnectOptions options)
    {
        _socket = socket;
        Options = options;
        AcknowledgesByItself = options.AcknowledgesByItself;
        _reader = ReadAsync();
    }

    public ConnectOptions Options { get; }

    public ProtocolVersion Version => Options.Version;

    public string ClientId => Options.ClientId;

    /// <summary>The answer to <see cref="ConnectAsync(EndPoint, ConnectOptions, int)"/>.</summary>
    public ReceivedPacket ConnAck { get; private set; } = null!;

    /// <summary>As <see cref="ConnectOptions.AcknowledgesByItself"/>, for packets from now on.</summary>
    public bool AcknowledgesByItself { get; set; }

    /// <summary>Takes every packet instead of the inbox: for clients that receive too much to keep.</summary>
    public Action<ReceivedPacket>? Handler { get; set; }

    public bool IsClosed => _inbox.Ending is not null;

    /// <summary>Opens the TCP connection and sends nothing.</summary>
    /// <param name="from">Address that the client has; null: the one that the system picks.</param>
    public static async Task<ScriptedClient> OpenAsync(
        EndPoint broker, ConnectOptions? options = null, int receiveBuffer = 0, IPAddress? from = null)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (from is not null)
        {
            socket.Bind(new IPEndPoint(from, 0));
        }

        if (receiveBuffer > 0)
        {
            socket.ReceiveBufferSize = receiveBuffer;
        }

        try
        {
            using var patience = new CancellationTokenSource(Patience);
            await socket.ConnectAsync(broker, patience.Token);
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            throw new TestFailureException($"no connection to {broker} within {Patience.TotalSeconds} s");
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new ScriptedClient(socket, options ?? new ConnectOptions());
    }

    /// <summary>Opens, sends CONNECT and expects it to be accepted.</summary>
    public static Task<ScriptedClient> ConnectAsync(EndPoint broker, ProtocolVersion version = ProtocolVersion.Mqtt5) =>
        ConnectAsync(broker, new ConnectOptions(version));

    /// <inheritdoc cref="ConnectAsync(EndPoint, ProtocolVersion)"/>
    public static async Task<ScriptedClient> ConnectAsync(EndPoint broker, ConnectOptions options, int receiveBuffer = 0)
    {
        var client = await OpenAsync(broker, options, receiveBuffer);
        try
        {
            await client.SendAsync(Packets.Connect(options));
            client.ConnAck = await client.ExpectAsync(PacketType.ConnAck);
            return client.ConnAck.Reason == ReasonCode.Success
                ? client
                : throw client.Failure($"CONNECT was refused: {client.ConnAck}");
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the connection with a TCP reset: nothing buffered is delivered, and the broker learns it at once.</summary>
    public void Abort()
    {
        _history.Add("-- reset");
        if (_socket.SafeHandle.IsClosed)
        {
            return;
        }

        _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        _socket.Close();
    }

    /// <summary>Tells the broker that nothing more will be sent, without DISCONNECT.</summary>
    public void Shutdown() => _socket.Shutdown(SocketShutdown.Send);

    public async ValueTask DisposeAsync()
    {
        _reading.TrySetResult();
        _socket.Dispose();
        await _reader;
        _sending.Dispose();
    }

    public override string ToString() => $"{ClientId} ({Version})";

    private TestFailureException Failure(string what)
    {
        var state = _inbox.Ending is { } ending ? $"connection {ending}" : "connection open";
        return new TestFailureException($"{what}\n  client {this}, {state}, last packets:\n{_history}");
    }
}
