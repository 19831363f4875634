using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Unicode;
using Broker.Gateway.Options;
using Broker.Gateway.Tracing;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>By which rules a publish is admitted, and what is noted of it, wherever it comes from: MQTT, a Will, HTTP or the application.</summary>
internal sealed class PublishRules(
    LimitOptions limits, MqttOptions mqtt, ConnectionMetrics metrics, ConnectionEvents events, Traces traces, ILogger<ClientConnection> logger)
{
    /// <summary>Bytes of a whole packet.</summary>
    public int MaxPacketSize => limits.MaxPacketSize;

    /// <summary>Whether a Topic Name, known to be well-formed, is neither longer nor deeper than this broker takes.</summary>
    public bool IsTopicAllowed(ReadOnlySpan<byte> topic) => TopicRules.IsWithinLimits(topic, limits.MaxTopicLength, limits.MaxTopicLevels);

    /// <summary>A publish has come in.</summary>
    public void Count(QualityOfService qos) => metrics.Published(qos);

    /// <summary>Whether a payload is what its Payload Format Indicator says, where that is looked at (MQTT 5.0 section 3.3.2.3.2).</summary>
    /// <param name="isSaidUtf8">Payload Format Indicator.</param>
    public bool IsPayloadAllowed(bool isSaidUtf8, in ReadOnlySequence<byte> payload) => !isSaidUtf8 || !mqtt.ValidatePayloadFormat
        || Utf8.IsValid(payload.IsSingleSegment ? payload.FirstSpan : payload.ToArray());

    /// <summary>The message is about to be routed: with it in the log, its way can be followed (docs/http-api.md, Messages).</summary>
    /// <param name="packetId">0 for one that has none.</param>
    /// <param name="address">Where the client is; null when that is not known.</param>
    public void NoteAccepted(string clientId, ushort packetId, ref PublishSource source, IPAddress? address = null)
    {
        if (traces.Active is { } active && (active.For(clientId, address) | active.For(source.Topic)) is > 0 and var to)
        {
            var id = source.Qos == QualityOfService.AtMostOnce ? source.Id : source.Materialize().Id;
            active.Write(to, clientId, null, "--", "ACCEPTED " + PacketText.OfPublish(
                source.Topic, (int)source.Qos, source.Retain, false, packetId, id, source.Payload.Length));
        }

        if (events.LogsMessages && source.Qos != QualityOfService.AtMostOnce)
        {
            Log.Accepted(logger, clientId, packetId, Encoding.UTF8.GetString(source.Topic), source.Materialize().Id);
        }
    }
}
