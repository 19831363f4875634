using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.Routing;

/// <summary>What the broker publishes itself, while a dead silo is being settled.</summary>
public sealed class BrokerPublisherTests : IDisposable
{
    private readonly ModelBroker _broker = new(new MemoryRows(), new SessionOptions(), TimeSpan.Zero);
    private readonly RoutingGate _gate = new();

    /// <summary>QoS 0 waits for no settlement and is not waited for; a message that must come to all has the end of it wait.</summary>
    [Theory]
    [InlineData(QualityOfService.AtMostOnce, false)]
    [InlineData(QualityOfService.AtLeastOnce, true)]
    public async Task Settlement_does_not_end_while_an_acknowledged_message_is_being_routed(QualityOfService qos, bool isHeldUp)
    {
        var (session, grant) = await _broker.ConnectAsync("c");
        session.Subscribe("t", (byte)QualityOfService.AtLeastOnce, 0, out _);
        var link = new AskingLink(_gate);
        Assert.True(session.Attach(link, grant.Epoch, ushort.MaxValue));
        var ids = new MessageIdSource(_broker.Store, TimeProvider.System);
        var publisher = new BrokerPublisher(_broker.Router, _broker.Environment.Index, _broker.Environment.Shared, _broker.Store, ids, gate: _gate);

        publisher.Publish(new ApplicationMessage("t1"u8.ToArray(), 1, 0) { Qos = qos, Id = isHeldUp ? publisher.NextId() : MessageId.None });

        Assert.Equal([!isHeldUp], link.CouldEnd);
        Assert.True(_gate.TryWithoutUnheld(static () => true));
        await _gate.PassedAsync().WaitAsync(TimeSpan.FromSeconds(10));
    }

    public void Dispose() => _broker.Dispose();

    /// <summary>Asks, when it is given a message, whether a settlement could end just now.</summary>
    private sealed class AskingLink(RoutingGate gate) : IClientLink
    {
        public List<bool> CouldEnd { get; } = [];

        public ProtocolVersion Version => ProtocolVersion.Mqtt5;

        public SendStatus TryPublish(scoped in PublishSource source, scoped in DeliveryHeader header)
        {
            CouldEnd.Add(gate.TryWithoutUnheld(static () => true));
            return SendStatus.Sent;
        }

        public void Acknowledge(PacketType type, ushort packetId, ReasonCode reason)
        {
        }

        public void Close(ReasonCode reason)
        {
        }
    }
}
