using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Broker.Gateway.Auth;
using Broker.Gateway.Configuration;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Listeners;

/// <summary>Who may connect to one MQTT endpoint, who connects for others, and how many there may be.</summary>
internal sealed class ListenerAccess
{
    private readonly AccessList _clients;
    private readonly string _clientsKey;
    private readonly AddressRanges _balancers;
    private readonly string _balancersKey;
    private readonly TimeSpan _patience;
    private readonly int _maxConnections;
    private int _open;

    /// <param name="endpoint">Checked with the rest of the configuration: a list that is none must not become one that lets everybody in.</param>
    /// <param name="index">Its place in the configuration.</param>
    /// <param name="patience">How long a balancer may take for its header.</param>
    public ListenerAccess(ListenerEndpoint endpoint, int index, TimeSpan patience)
    {
        _clients = AccessList.TryParse(endpoint.Access, out var list, out var wrong) ? list : throw NotChecked(wrong);
        _clientsKey = SettingKeys.AccessOf(index);
        _balancers = AddressRanges.TryParse(endpoint.ProxyProtocolFrom, out var ranges, out wrong) ? ranges : throw NotChecked(wrong);
        _balancersKey = SettingKeys.ProxyProtocolFromOf(index);
        _patience = patience;
        _maxConnections = endpoint.MaxConnections;
    }

    /// <summary>Whether the connection comes from a balancer, which has to say whose it is. Not to be asked again after it has.</summary>
    public bool IsBalancer(ConnectionContext connection) => _balancers.Contains(RemoteAddress.Of(connection.RemoteEndPoint));

    /// <summary>Key of the list that does not let a client in; null when it may connect.</summary>
    public string? ObstacleOf(ConnectionContext connection) => _clients.Allows(RemoteAddress.Of(connection.RemoteEndPoint)) ? null : _clientsKey;

    /// <summary>
    /// Learns from a balancer whose connection it is, and looks whether that client may connect. A balancer that sends no header is not taken for a
    /// client: everybody behind it would have its address.
    /// </summary>
    /// <param name="over">Fires when nobody is let in any more.</param>
    /// <returns>Key of the setting that does not let it in; null when it may connect.</returns>
    public async ValueTask<string?> FindObstacleAsync(ConnectionContext connection, CancellationToken over) =>
        await TakeHeaderAsync(connection, over) ? ObstacleOf(connection) : _balancersKey;

    /// <summary>Takes a place, which <see cref="Leave"/> gives back. False: all were taken, and there is one too many.</summary>
    public bool Enter()
    {
        var open = Interlocked.Increment(ref _open);
        return _maxConnections == 0 || open <= _maxConnections;
    }

    /// <summary>Gives a place back.</summary>
    public void Leave() => Interlocked.Decrement(ref _open);

    private async Task<bool> TakeHeaderAsync(ConnectionContext connection, CancellationToken over)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed, over);
        late.CancelAfter(_patience);
        var input = connection.Transport.Input;
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(late.Token);
                var status = Take(connection, input, read.Buffer);
                if (status != OperationStatus.NeedMoreData || read.IsCompleted)
                {
                    return status == OperationStatus.Done;
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // It takes too long, or has gone.
            return false;
        }
    }

    private static OperationStatus Take(ConnectionContext connection, PipeReader input, ReadOnlySequence<byte> buffer)
    {
        // Almost always one segment; and short, or it would be invalid.
        var bytes = buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray();
        var status = ProxyHeader.Read(bytes, out var length, out var client);
        if (status == OperationStatus.Done)
        {
            connection.RemoteEndPoint = client is null || IsPretended(client, connection.RemoteEndPoint) ? connection.RemoteEndPoint : client;
            input.AdvanceTo(buffer.GetPosition(length));
        }
        else
        {
            input.AdvanceTo(buffer.Start, buffer.End);
        }

        return status;
    }

    /// <summary>A client on the balancer's own machine is not on the broker's, whose clients may do more.</summary>
    private static bool IsPretended(EndPoint client, EndPoint? balancer) =>
        IPAddress.IsLoopback(RemoteAddress.Of(client)) && !IPAddress.IsLoopback(RemoteAddress.Of(balancer));

    private static InvalidOperationException NotChecked(string wrong) => new($"'{wrong}' is no rule of a listener");
}
