using System.Net;
using Broker.Protocol;
using Broker.TestKit.Checks;
using Broker.TestKit.Wire;

namespace Broker.TestKit.Clients;

/// <summary>
/// Receives numbered messages on a durable session and keeps the client's part of QoS 2: a packet id that waits for
/// PUBREL is the same message, also on the next connection (MQTT 5.0 section 4.3.3).
/// </summary>
public sealed class DurableSubscriber(
    Func<EndPoint> broker, ConnectOptions options, string filter, int subscriber, int qos, DeliveryChecker checker)
    : ReconnectingClient(broker, options, checker)
{
    private readonly HashSet<int> _waitingForRelease = [];

    protected override async Task SetUpAsync(ScriptedClient client)
    {
        var granted = await client.SubscribeAsync(filter, qos);
        if (granted.Reasons[0] != (ReasonCode)qos)
        {
            throw new InvalidDataException($"subscriber {subscriber} was granted {granted.Reasons[0]}");
        }
    }

    protected override async Task WorkAsync(ScriptedClient client, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            ReceivedPacket packet;
            try
            {
                packet = await client.NextAsync(TimeSpan.FromMilliseconds(500));
            }
            catch (TestFailureException) when (!client.IsClosed)
            {
                // Nothing came for a while, which is no fault: publishers wait for a restart too. But a silo that is frozen or cut off
                // says nothing either, and its end may be heard of minutes after the network is whole again: it is asked.
                if (!LeavesSilentBrokers)
                {
                    continue;
                }

                await client.SendAsync(Packets.PingRequest(), CancellationToken.None);
                packet = await client.NextAsync();
            }

            await HandleAsync(client, packet);
        }
    }

    private async Task HandleAsync(ScriptedClient client, ReceivedPacket packet)
    {
        switch (packet.Type)
        {
            case PacketType.Publish when packet.Qos == 1:
                Checker.Delivered(subscriber, Sequence.Parse(packet.Text));
                await client.AckAsync(PacketType.PubAck, packet.PacketId);
                break;
            case PacketType.Publish when packet.Qos == 2:
                if (_waitingForRelease.Add(packet.PacketId))
                {
                    Checker.Delivered(subscriber, Sequence.Parse(packet.Text));
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
                throw new InvalidDataException($"subscriber {subscriber} does not expect {packet}");
        }
    }
}
