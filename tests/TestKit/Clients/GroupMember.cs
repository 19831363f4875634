using System.Net;
using System.Net.Sockets;
using Broker.Protocol;
using Broker.TestKit.Checks;
using Broker.TestKit.Wire;

namespace Broker.TestKit.Clients;

/// <summary>
/// A member of a shared subscription's group that comes back as often as its connection ends, subscribes again each time, and
/// answers everything. A durable one keeps the client's part of QoS 2 over its connections.
/// </summary>
public sealed class GroupMember(Func<EndPoint> broker, ConnectOptions options, string filter, int qos, GroupDeliveries deliveries)
{
    // 20 ms: several attempts within the shortest start of a broker.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    // A broker that is frozen says nothing either: it is asked whether it is there.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<int> _waitingForRelease = [];
    private volatile ScriptedClient? _client;

    /// <summary>Completes when it has been subscribed once.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Loses the connection; the member comes back.</summary>
    public void Cut()
    {
        try
        {
            _client?.Abort();
        }
        catch (ObjectDisposedException)
        {
            // It was just being lost.
        }
    }

    /// <summary>Runs until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var client = await ScriptedClient.ConnectAsync(broker(), options);
                _client = client;
                await UseAsync(client, stop);
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException or TestFailureException)
            {
                // The broker is down, went down, or hangs.
                await Task.Delay(Pause, CancellationToken.None);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // It was told to stop while it was sending.
            }
        }
    }

    private async Task UseAsync(ScriptedClient client, CancellationToken stop)
    {
        if (options.Clean || !client.ConnAck.SessionPresent)
        {
            _waitingForRelease.Clear();
        }

        var id = client.NextPacketId();
        await client.SendAsync(Packets.Subscribe(client.Version, id, [new Subscription(filter, qos)], null), stop);
        while (!stop.IsCancellationRequested)
        {
            ReceivedPacket packet;
            try
            {
                packet = await client.NextAsync(Silence);
            }
            catch (TestFailureException) when (!client.IsClosed)
            {
                await client.SendAsync(Packets.PingRequest(), stop);
                packet = await client.NextAsync();
            }

            await HandleAsync(client, packet);
        }

        await client.DisconnectAsync();
    }

    private async Task HandleAsync(ScriptedClient client, ReceivedPacket packet)
    {
        switch (packet.Type)
        {
            case PacketType.SubAck when packet.Reasons[0] == (ReasonCode)qos:
                _ready.TrySetResult();
                break;
            case PacketType.Publish when packet.Qos == 1:
                deliveries.Add(Sequence.Parse(packet.Text));
                await client.AckAsync(PacketType.PubAck, packet.PacketId);
                break;
            case PacketType.Publish when packet.Qos == 2:
                if (_waitingForRelease.Add(packet.PacketId))
                {
                    deliveries.Add(Sequence.Parse(packet.Text));
                }

                await client.AckAsync(PacketType.PubRec, packet.PacketId);
                break;
            case PacketType.PubRel:
                _waitingForRelease.Remove(packet.PacketId);
                await client.AckAsync(PacketType.PubComp, packet.PacketId);
                break;
            case PacketType.PingResp:
                break;
            case PacketType.Disconnect:
                client.Abort();
                break;
            default:
                throw new InvalidDataException($"{client} does not expect {packet}");
        }
    }
}
