using System.Globalization;
using System.Net;
using Broker.Protocol;
using Broker.TestKit.Wire;

namespace Broker.TestKit.Clients;

/// <summary>
/// One half of a pair: sends numbers at QoS 2, one at a time, and receives those of the other half with a Receive Maximum of 1. It
/// is slow to answer now and then, and breaks its connection at any point of either exchange and takes it up again.
/// </summary>
/// <param name="broker">Where it connects next.</param>
/// <param name="count">Numbers each way.</param>
/// <param name="random">Decides when it is slow and when it breaks its connection.</param>
public sealed class DuplexClient(
    Func<EndPoint> broker, ConnectOptions options, string sendTo, string receiveFrom, int count, Random random)
{
    private const ushort PacketId = 1;

    // Far above the longest lull: the other half connects again. Without a packet for so long, flow control has stopped.
    private static readonly TimeSpan Deadlock = TimeSpan.FromSeconds(60);

    private readonly HashSet<ushort> _unreleased = [];
    private bool _isReleasing;
    private bool _wasSent;

    /// <summary>Numbers whose exchange is complete.</summary>
    public int Sent { get; private set; }

    /// <summary>Numbers received, each once and in order.</summary>
    public int Received { get; private set; }

    public int Connections { get; private set; }

    public async Task SubscribeAsync()
    {
        await using var client = await ScriptedClient.ConnectAsync(broker(), options);
        await client.SubscribeAsync(receiveFrom, 2);
        await client.DisconnectAsync();
    }

    public async Task RunAsync()
    {
        while (Sent < count || Received < count)
        {
            await using var client = await ScriptedClient.ConnectAsync(broker(), options);
            Connections++;
            Check(client.ConnAck.SessionPresent, $"{client}: the session is lost");
            await ContinueAsync(client);
            for (var packets = random.Next(20, 400); packets > 0 && (Sent < count || Received < count); packets--)
            {
                var packet = await client.NextAsync(Deadlock);
                if (random.Next(100) == 0)
                {
                    await Task.Delay(random.Next(1, 20));
                }

                await HandleAsync(client, packet);
            }

            // Without DISCONNECT, with whatever is under way.
            client.Abort();
        }
    }

    /// <summary>The exchange that the last connection left open, or the next number.</summary>
    private async Task ContinueAsync(ScriptedClient client)
    {
        if (Sent == count)
        {
            return;
        }

        if (_isReleasing)
        {
            await client.TrySendAsync(Packets.Ack(PacketType.PubRel, PacketId));
            return;
        }

        var message = new PublishOptions(sendTo, Sent.ToString(CultureInfo.InvariantCulture)) { Qos = 2, PacketId = PacketId, Dup = _wasSent };
        _wasSent = true;
        await client.TrySendAsync(Packets.Publish(client.Version, message));
    }

    private async Task HandleAsync(ScriptedClient client, ReceivedPacket packet)
    {
        switch (packet.Type)
        {
            case PacketType.PubRec:
                _isReleasing = true;
                await client.TrySendAsync(Packets.Ack(PacketType.PubRel, packet.PacketId));
                break;
            case PacketType.PubComp when _isReleasing:
                Sent++;
                _isReleasing = false;
                _wasSent = false;
                await ContinueAsync(client);
                break;
            case PacketType.PubComp:
                // The answer to a PUBREL that was repeated on this connection.
                break;
            case PacketType.Publish:
                Receive(packet);
                await client.TrySendAsync(Packets.Ack(PacketType.PubRec, packet.PacketId));
                break;
            case PacketType.PubRel:
                _unreleased.Remove(packet.PacketId);
                await client.TrySendAsync(Packets.Ack(PacketType.PubComp, packet.PacketId));
                break;
            default:
                throw new TestFailureException($"{client} got {packet}");
        }
    }

    private void Receive(ReceivedPacket packet)
    {
        if (!_unreleased.Add(packet.PacketId))
        {
            Check(packet.Dup, $"a repetition without DUP: {packet}");
            return;
        }

        Check(_unreleased.Count == 1, $"more than the window allows: {packet}");
        Check(packet.Text == Received.ToString(CultureInfo.InvariantCulture), $"{options.ClientId}: {Received} is next, not {packet}");
        Received++;
    }

    private static void Check(bool isRight, string failure)
    {
        if (!isRight)
        {
            throw new TestFailureException(failure);
        }
    }
}
