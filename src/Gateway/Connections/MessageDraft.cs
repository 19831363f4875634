using System.Diagnostics.CodeAnalysis;
using System.Text;
using Broker.Grains.Delayed;
using Broker.Grains.Messages;
using Broker.Grains.Routing;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>A message that comes from elsewhere than an MQTT connection, to be checked by the rules that PUBLISH is checked by.</summary>
/// <param name="Publisher">Client Identifier for No Local and the loss ledger.</param>
internal sealed record MessageDraft(
    string Topic, PublishProperties Properties, ReadOnlyMemory<byte> Payload, int Qos, bool Retain, string Publisher)
{
    /// <summary>Milliseconds since 1970.</summary>
    public long ExpiresAt { get; init; } = long.MaxValue;

    /// <summary>Makes the message, or says what is wrong. A topic <c>$delayed/SECONDS/TOPIC</c> is for TOPIC, later.</summary>
    public bool TryFinish(
        BrokerPublisher publisher, PublishRules rules, TimeProvider time, [NotNullWhen(true)] out ApplicationMessage? message, out string error)
    {
        message = null;
        error = "";
        var topic = Encoding.UTF8.GetBytes(Topic);
        if (!TopicRules.IsValidName(topic) || !Utf8Rules.IsValid(topic)
            || !rules.IsTopicAllowed(topic))
        {
            error = "topic: no topic name, or longer than allowed";
            return false;
        }

        ReadOnlySpan<byte> name = topic;
        if (!DelayedTopic.TryTake(ref name, time, out var publishAt))
        {
            error = "topic: one that begins with $delayed has the form $delayed/SECONDS/TOPIC";
            return false;
        }

        if (Qos is < 0 or > 2)
        {
            error = "qos: 0, 1 or 2";
            return false;
        }

        if (Properties.Violation is { } violation)
        {
            error = $"properties: {violation}";
            return false;
        }

        var encoded = Properties.Encode();
        if (name.Length + encoded.Length + Payload.Length > rules.MaxPacketSize)
        {
            error = "the message is larger than Broker:Limits:MaxPacketSize";
            return false;
        }

        message = new ApplicationMessage([.. name, .. encoded, .. Payload.Span], name.Length, encoded.Length)
        {
            PublishAt = publishAt,
            Id = Qos == 0 && !Retain && publishAt == 0 ? MessageId.None : publisher.NextId(),
            Qos = (QualityOfService)Qos,
            Retain = Retain,
            ExpiresAt = ExpiresAt,
            Publisher = Publisher,
        };
        return true;
    }
}
