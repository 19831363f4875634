using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>A PUBLISH that a session has sent.</summary>
internal readonly record struct Sent(string Topic, int Number, QualityOfService Qos, ushort PacketId, bool Dup);

/// <summary>A connection that writes down what its session sends, and answers only when the test says so.</summary>
internal sealed class RecordingLink : IClientLink
{
    public ProtocolVersion Version => ProtocolVersion.Mqtt311;

    public List<Sent> Published { get; } = [];

    public List<(PacketType Type, ushort PacketId)> Acknowledged { get; } = [];

    public IEnumerable<int> Numbers => Published.Select(static p => p.Number);

    public bool IsSentAway { get; init; }

    public ReasonCode? ClosedWith { get; private set; }

    public SendStatus TryPublish(scoped in PublishSource source, scoped in DeliveryHeader header)
    {
        var topic = Encoding.UTF8.GetString(source.Topic);
        Published.Add(new Sent(topic, ModelMessage.NumberOf(source), header.Qos, header.PacketId, header.Dup));
        return SendStatus.Sent;
    }

    public void Acknowledge(PacketType type, ushort packetId, ReasonCode reason) => Acknowledged.Add((type, packetId));

    public void Close(ReasonCode reason) => ClosedWith = reason;
}
