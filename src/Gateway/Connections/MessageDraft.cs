using System.Diagnostics.CodeAnalysis;
using System.Text;
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

    /// <summary>Makes the message, or says what is wrong.</summary>
    public bool TryFinish(
        BrokerPublisher publisher, PublishRules rules, [NotNullWhen(true)] out ApplicationMessage? message, out string error)
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
        if (topic.Length + encoded.Length + Payload.Length > rules.MaxPacketSize)
        {
            error = "the message is larger than Broker:Limits:MaxPacketSize";
            return false;
        }

        message = new ApplicationMessage([.. topic, .. encoded, .. Payload.Span], topic.Length, encoded.Length)
        {
            Id = Qos == 0 && !Retain ? MessageId.None : publisher.NextId(),
            Qos = (QualityOfService)Qos,
            Retain = Retain,
            ExpiresAt = ExpiresAt,
            Publisher = Publisher,
        };
        return true;
    }
}
