using System.Diagnostics;
using System.Net;

namespace Broker.Cluster.Tests.Support;

/// <summary>A client with a Will that does nothing but be connected, notes how its connection ends, and comes back elsewhere.</summary>
internal sealed class Bystander(ConnectOptions options) : IAsyncDisposable
{
    private ScriptedClient? _client;

    /// <summary>When its connection ended, by <see cref="Stopwatch"/>.</summary>
    public long EndedAt { get; private set; }

    /// <summary>DISCONNECT that it got; null for none.</summary>
    public ReceivedPacket? Goodbye { get; private set; }

    public ConnectOptions Options => options;

    public async Task ConnectAsync(EndPoint silo) => _client = await ScriptedClient.ConnectAsync(silo, options);

    /// <summary>Waits for the end of the connection.</summary>
    public async Task EndAsync(TimeSpan limit)
    {
        var client = _client!;
        if (options.Version == ProtocolVersion.Mqtt5)
        {
            Goodbye = await client.ExpectAsync(PacketType.Disconnect, limit);
        }

        await client.ExpectCloseAsync(limit);
        EndedAt = Stopwatch.GetTimestamp();
        await client.DisposeAsync();
        _client = null;
    }

    /// <summary>Connects to another silo; a durable session has to be there.</summary>
    public async Task ComeBackAsync(EndPoint silo)
    {
        await ConnectAsync(silo);
        Assert.Equal(!options.Clean, _client!.ConnAck.SessionPresent);
    }

    /// <summary>With DISCONNECT, so without a Will.</summary>
    public async Task LeaveAsync()
    {
        await _client!.DisconnectAsync(ReasonCode.Success);
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }
    }
}
