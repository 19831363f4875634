using System.Buffers;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>Packets towards the client.</summary>
internal sealed partial class ClientConnection
{
    private static readonly byte[] PingResponse = [(byte)PacketType.PingResp << 4, 0];

    private delegate void PacketWriter(IBufferWriter<byte> writer, ProtocolVersion version);

    /// <inheritdoc />
    public SendStatus TryPublish(scoped in PublishSource source, scoped in DeliveryHeader delivery)
    {
        var hasExpiry = Version == ProtocolVersion.Mqtt5 && source.ExpiresAt != long.MaxValue;
        var header = new PublishHeader
        {
            Version = Version,
            Qos = delivery.Qos,
            Retain = delivery.Retain,
            Dup = delivery.Dup,
            PacketId = delivery.PacketId,
            HasMessageExpiry = hasExpiry,
            MessageExpiryInterval = hasExpiry ? RemainingSeconds(source.ExpiresAt) : 0,
            SubscriptionIdentifiers = Version == ProtocolVersion.Mqtt5 ? delivery.SubscriptionIdentifiers : [],
        };
        var properties = Version == ProtocolVersion.Mqtt5 ? source.Properties : [];
        var size = PublishEncoder.Measure(header, source.Topic.Length, properties.Length, source.Payload.Length);
        if (size > _clientMaximumPacketSize)
        {
            return SendStatus.TooLarge;
        }

        var packet = new OutgoingPublish(header, source.Topic, properties, source.Payload);
        if (_output.TryWrite((int)size, isControl: false, ref packet, OutgoingPublish.Write))
        {
            _services.Metrics.Delivered(delivery.Qos);
            return SendStatus.Sent;
        }

        return _output.IsClosed ? SendStatus.Closed : SendStatus.Full;
    }

    /// <summary>Message Expiry Interval minus the time it has waited here [MQTT-3.3.2-6].</summary>
    private uint RemainingSeconds(long expiresAt) => (uint)Math.Max(1, (expiresAt - Now + 999) / 1000);

    private void SendAck(PacketType type, ushort packetId, ReasonCode reason)
    {
        var packet = (new AckPacket(type, packetId, reason), Version);
        _output.TryWrite(
            AckCodec.MaximumShortLength,
            isControl: true,
            ref packet,
            static (span, ref p) => AckCodec.Write(span, p.Version, p.Item1));
    }

    private void SendBytes(byte[] bytes) => _output.TryWrite(
        bytes.Length,
        isControl: true,
        ref bytes,
        static (span, ref b) =>
        {
            b.CopyTo(span);
            return b.Length;
        });

    private void Send(ConnAckPacket packet) => SendPacket(packet.Write);

    private void Send(SubAckPacket packet) => SendPacket(packet.Write);

    private void Send(UnsubAckPacket packet) => SendPacket(packet.Write);

    private void SendDisconnect(ReasonCode reason) => SendPacket(new DisconnectPacket { Reason = reason }.Write);

    private void SendConnAckRefusal(ReasonCode reason) => Send(new ConnAckPacket { Reason = reason });

    private void SendPacket(PacketWriter write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer, Version);
        SendBytes(buffer.WrittenSpan.ToArray());
    }

    private void Drained() => _session?.ResumeSending(this);

    private readonly ref struct OutgoingPublish(
        PublishHeader header, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties, ReadOnlySequence<byte> payload)
    {
        private readonly PublishHeader _header = header;
        private readonly ReadOnlySpan<byte> _topic = topic;
        private readonly ReadOnlySpan<byte> _properties = properties;
        private readonly ReadOnlySequence<byte> _payload = payload;

        public static int Write(Span<byte> destination, ref OutgoingPublish packet) =>
            PublishEncoder.Write(destination, packet._header, packet._topic, packet._properties, packet._payload);
    }
}
