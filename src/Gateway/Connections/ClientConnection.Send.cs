using System.Buffers;
using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>Packets towards the client.</summary>
internal sealed partial class ClientConnection
{
    private static readonly byte[] PingResponse = [(byte)PacketType.PingResp << 4, 0];

    // Null for a client that asked for none [MQTT-3.1.2-27].
    private OutboundAliases? _outboundAliases;

    /// <inheritdoc />
    public SendStatus TryPublish(scoped in PublishSource source, scoped in DeliveryHeader delivery)
    {
        var alias = _outboundAliases is null ? default : _outboundAliases.Choose(source.Topic);
        var header = HeaderOf(source, delivery, alias);
        var properties = Version == ProtocolVersion.Mqtt5 ? source.Properties : [];
        var size = PublishEncoder.Measure(header, source.Topic.Length, properties.Length, source.Payload.Length);
        if (size > _clientMaximumPacketSize && alias is { Number: > 0, IsKnown: false })
        {
            // The three bytes that introduce an alias are too many for this one.
            alias = default;
            header = HeaderOf(source, delivery, alias);
            size = PublishEncoder.Measure(header, source.Topic.Length, properties.Length, source.Payload.Length);
        }

        if (size > _clientMaximumPacketSize)
        {
            return SendStatus.TooLarge;
        }

        var packet = new OutgoingPublish(header, source.Topic, properties, source.Payload);
        if (_output.TryWrite((int)size, isControl: false, ref packet, OutgoingPublish.Write))
        {
            _services.Metrics.Delivered(delivery.Qos);
            if (_services.Events.HasDelivered)
            {
                _services.Events.Delivered(ClientId, source, delivery);
            }

            if (_services.Traces.Active is { } traces)
            {
                TraceSent(traces, source, delivery);
            }

            if (_services.Events.LogsMessages && delivery.Qos != QualityOfService.AtMostOnce)
            {
                Log.Sent(_services.Logger, ClientId, delivery.MessageId, delivery.PacketId, Encoding.UTF8.GetString(source.Topic));
            }

            if (_outboundAliases is not null)
            {
                _services.Metrics.Saved(_outboundAliases.Sent(alias, source.Topic));
            }

            return SendStatus.Sent;
        }

        return _output.IsClosed ? SendStatus.Closed : SendStatus.Full;
    }

    private PublishHeader HeaderOf(
        scoped in PublishSource source, in DeliveryHeader delivery, OutboundAliases.Choice alias)
    {
        var hasExpiry = Version == ProtocolVersion.Mqtt5 && source.ExpiresAt != long.MaxValue;
        return new PublishHeader
        {
            Version = Version,
            Qos = delivery.Qos,
            Retain = delivery.Retain,
            Dup = delivery.Dup,
            PacketId = delivery.PacketId,
            TopicAlias = alias.Number,
            OmitTopic = alias.IsKnown,
            HasMessageExpiry = hasExpiry,
            MessageExpiryInterval = hasExpiry ? RemainingSeconds(source.ExpiresAt) : 0,
            SubscriptionIdentifiers = Version == ProtocolVersion.Mqtt5 ? delivery.SubscriptionIdentifiers : [],
        };
    }

    private OutboundAliases? NewAliases(ConnectPacket packet) =>
        Math.Min(packet.TopicAliasMaximum, _services.Limits.TopicAliasMaximum) is > 0 and var maximum
            ? new OutboundAliases(maximum)
            : null;

    /// <summary>Message Expiry Interval minus the time it has waited here [MQTT-3.3.2-6].</summary>
    private uint RemainingSeconds(long expiresAt) => (uint)Math.Max(1, (expiresAt - Now + 999) / 1000);

    private void SendAck(PacketType type, ushort packetId, ReasonCode reason)
    {
        if (reason >= ReasonCode.UnspecifiedError && Version == ProtocolVersion.Mqtt5)
        {
            SendRefusal(new AckPacket(type, packetId, reason));
            return;
        }

        _services.Metrics.Sent(type);

        // Always within the client's Maximum Packet Size: it has got a CONNACK, which is longer.
        var packet = (new AckPacket(type, packetId, reason), Version);
        var isWritten = _output.TryWrite(
            AckCodec.MaximumShortLength,
            isControl: true,
            ref packet,
            static (span, ref p) => AckCodec.Write(span, p.Version, p.Item1));
        if (isWritten && _services.Traces.Active is { } traces)
        {
            TraceSent(traces, type, packetId, reason);
        }
    }

    // Apart from SendAck, which would allocate what the closure captures for every success too.
    private void SendRefusal(AckPacket packet) => SendExplained(
        ReasonTexts.Of(packet.Reason), (writer, text) => AckCodec.Write(writer, Version, packet with { ReasonString = text }));

    private void SendBytes(byte[] bytes, bool isLast = false)
    {
        _services.Metrics.Sent((PacketType)(bytes[0] >> 4));
        var isWritten = _output.TryWrite(
            bytes.Length,
            isControl: true,
            ref bytes,
            static (span, ref b) =>
            {
                b.CopyTo(span);
                return b.Length;
            },
            isLast);
        if (isWritten && _services.Traces.Active is { } traces)
        {
            TraceSent(traces, bytes);
        }
    }

    private bool Send(ConnAckPacket packet) =>
        SendExplained(packet.ReasonString, (writer, text) => (packet with { ReasonString = text }).Write(writer, Version));

    private void Send(SubAckPacket packet) => SendExplained(
        TextOf(packet.Reasons), (writer, text) => (packet with { ReasonString = text }).Write(writer, Version));

    private void Send(UnsubAckPacket packet) => SendExplained(
        TextOf(packet.Reasons), (writer, text) => (packet with { ReasonString = text }).Write(writer, Version));

    /// <summary>No packet follows it [MQTT-3.14.4-1].</summary>
    private void SendDisconnect(DisconnectPacket packet) => SendExplained(
        packet.ReasonString, (writer, text) => (packet with { ReasonString = text }).Write(writer, Version), isLast: true);

    private void SendConnAckRefusal(ReasonCode reason, string? text)
    {
        if (TryAnswer())
        {
            Send(new ConnAckPacket { Reason = reason, ReasonString = text });
        }
    }

    /// <summary>The first refusal of an answer to several filters explains itself.</summary>
    private static string? TextOf(IReadOnlyList<ReasonCode> reasons) =>
        reasons.FirstOrDefault(static r => r >= ReasonCode.UnspecifiedError) is var refusal and > 0 ? ReasonTexts.Of(refusal) : null;

    /// <summary>
    /// Sends a packet with its Reason String if the client wants to be told [MQTT-3.1.2-29] and the packet is not too large for
    /// it with the text [MQTT-3.2.2-19] [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.6.2-2] [MQTT-3.7.2-2] [MQTT-3.9.2-1] [MQTT-3.11.2-1] [MQTT-3.14.2-3].
    /// User Properties the broker has none [MQTT-3.2.2-20] [MQTT-3.4.2-3] [MQTT-3.5.2-3] [MQTT-3.6.2-3] [MQTT-3.7.2-3] [MQTT-3.9.2-2] [MQTT-3.11.2-2] [MQTT-3.14.2-4]. A
    /// packet that is too large without the text must not be sent at all [MQTT-3.1.2-24]; the conversation cannot go on, so the
    /// connection ends.
    /// </summary>
    private bool SendExplained(string? text, Action<IBufferWriter<byte>, string?> write, bool isLast = false)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer, _wantsProblemInformation ? text : null);
        if (buffer.WrittenCount > _clientMaximumPacketSize && text is not null)
        {
            buffer.ResetWrittenCount();
            write(buffer, null);
        }

        if (buffer.WrittenCount <= _clientMaximumPacketSize)
        {
            SendBytes(buffer.WrittenSpan.ToArray(), isLast);
            return true;
        }

        Close(ReasonCode.PacketTooLarge);
        return false;
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
