using System.Net;
using Broker.Protocol;
using Broker.TestKit.Checks;
using Broker.TestKit.Wire;

namespace Broker.TestKit.Clients;

/// <summary>
/// Publishes numbered messages at QoS 1 or 2 and keeps the client's part of the promise: after a reconnect it sends
/// again what is not acknowledged, in the original order with DUP, and PUBREL where PUBREC has come (section 4.4).
/// </summary>
public sealed class ReliablePublisher(
    Func<EndPoint> broker, ConnectOptions options, string topic, int publisher, int qos, DeliveryChecker checker)
    : ReconnectingClient(broker, options, checker)
{
    // 16: enough in flight that a kill always catches some, few enough that a backlog stays small.
    private const int Window = 16;

    /// <summary>Numbers not yet done with; true once PUBREC has come.</summary>
    private readonly SortedDictionary<int, bool> _open = [];

    private int _next;
    private volatile bool _isEnough;

    /// <summary>Publishes that a broker has refused with a reason code.</summary>
    public int Refusals { get; private set; }

    /// <summary>No new messages from now on; what is open is still brought to its end.</summary>
    public void Finish() => _isEnough = true;

    protected override async Task WorkAsync(ScriptedClient client, CancellationToken stop)
    {
        foreach (var (number, isReceived) in _open.ToList())
        {
            await client.SendAsync(isReceived ? Packets.Ack(PacketType.PubRel, PacketId(number)) : Message(client, number, dup: true), stop);
        }

        while (!_isEnough || _open.Count > 0)
        {
            while (!_isEnough && _open.Count < Window)
            {
                var number = _next++;
                _open.Add(number, false);
                await client.SendAsync(Message(client, number, dup: false), stop);
            }

            await HandleAsync(client, await client.NextAsync());
        }
    }

    private static int PacketId(int number) => (number % 65535) + 1;

    private byte[] Message(ScriptedClient client, int number, bool dup) => Packets.Publish(
        client.Version,
        new PublishOptions(topic, new Sequence(publisher, number).ToString())
        {
            Qos = qos,
            PacketId = (ushort)PacketId(number),
            Dup = dup,
        });

    private async Task HandleAsync(ScriptedClient client, ReceivedPacket packet)
    {
        var number = _open.Keys.FirstOrDefault(open => PacketId(open) == packet.PacketId, -1);
        switch (packet.Type)
        {
            case PacketType.PubAck or PacketType.PubRec when packet.Reason >= ReasonCode.UnspecifiedError:
                // Refused: everything that is open is sent again, in order, on the next connection.
                Refusals++;
                Checker.Refused(publisher, _open.Keys.First(), _open.Keys.Last());
                client.Abort();
                break;
            case PacketType.PubAck when number >= 0:
                Checker.Acknowledged(new Sequence(publisher, number));
                _open.Remove(number);
                break;
            case PacketType.PubRec when number >= 0:
                Checker.Acknowledged(new Sequence(publisher, number));
                _open[number] = true;
                await client.AckAsync(PacketType.PubRel, packet.PacketId);
                break;
            case PacketType.PubComp when number >= 0:
                _open.Remove(number);
                break;
            case PacketType.Disconnect:
                client.Abort();
                break;
            default:
                throw new InvalidDataException($"publisher {publisher} does not expect {packet}");
        }
    }
}
