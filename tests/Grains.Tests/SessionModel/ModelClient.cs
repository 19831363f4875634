using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionModel;

/// <summary>A subscriber that follows the specification: what it holds of QoS 2 outlives its connections.</summary>
internal sealed class ModelClient
{
    // Groups of shared subscriptions deliver from threads of the pool.
    private readonly Lock _gate = new();
    private readonly HashSet<ushort> _held = [];

    /// <summary>Every message that the application was given: topic and number.</summary>
    public List<(string Topic, int Number, QualityOfService Qos)> Delivered { get; } = [];

    /// <summary>The same, while more may come.</summary>
    public IReadOnlyList<int> Numbers
    {
        get
        {
            lock (_gate)
            {
                return [.. Delivered.Select(static d => d.Number)];
            }
        }
    }

    public Link Connect(int window) => new(this, window);

    /// <summary>One connection of the client.</summary>
    internal sealed class Link(ModelClient client, int window) : IClientLink
    {
        private readonly Queue<(PacketType Type, ushort PacketId)> _owed = new();
        private readonly HashSet<ushort> _open = [];

        public ProtocolVersion Version => ProtocolVersion.Mqtt311;

        public bool IsClosed { get; private set; }

        public bool OwesNothing
        {
            get
            {
                lock (client._gate)
                {
                    return _owed.Count == 0;
                }
            }
        }

        public SendStatus TryPublish(scoped in PublishSource source, scoped in DeliveryHeader header)
        {
            lock (client._gate)
            {
                if (header.Qos != QualityOfService.AtMostOnce)
                {
                    Assert.True(_open.Add(header.PacketId), $"packet id {header.PacketId} is in use");
                    Assert.InRange(_open.Count, 1, window);
                }

                var isNew = header.Qos != QualityOfService.ExactlyOnce || client._held.Add(header.PacketId);
                if (isNew)
                {
                    client.Delivered.Add((Encoding.UTF8.GetString(source.Topic), ModelMessage.NumberOf(source), header.Qos));
                }

                if (header.Qos != QualityOfService.AtMostOnce)
                {
                    var answer = header.Qos == QualityOfService.AtLeastOnce ? PacketType.PubAck : PacketType.PubRec;
                    _owed.Enqueue((answer, header.PacketId));
                }

                return SendStatus.Sent;
            }
        }

        public void Acknowledge(PacketType type, ushort packetId, ReasonCode reason)
        {
            Assert.Equal(PacketType.PubRel, type);
            lock (client._gate)
            {
                client._held.Remove(packetId);
                _open.Add(packetId);
                _owed.Enqueue((PacketType.PubComp, packetId));
            }
        }

        public void Close(ReasonCode reason) => IsClosed = true;

        /// <summary>Sends the oldest acknowledgement that it owes.</summary>
        public void Answer(Session session)
        {
            (PacketType Type, ushort PacketId) answer;
            lock (client._gate)
            {
                if (!_owed.TryDequeue(out answer))
                {
                    return;
                }

                if (answer.Type != PacketType.PubRec)
                {
                    _open.Remove(answer.PacketId);
                }
            }

            Assert.Equal(AcknowledgeResult.Done, session.Acknowledge(this, answer.Type, answer.PacketId, ReasonCode.Success));
        }
    }
}
