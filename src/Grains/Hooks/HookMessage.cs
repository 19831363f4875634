using System.Text;
using Broker.Grains.Delayed;
using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Grains.Hooks;

/// <summary>A message that is being published, as hooks see it. A hook changes it with <c>message with { … }</c>.</summary>
public sealed record HookMessage
{
    private readonly ApplicationMessage _message;

    internal HookMessage(ApplicationMessage message)
    {
        _message = message;
        Topic = Encoding.UTF8.GetString(message.Topic);
        Payload = message.Bytes[(message.TopicLength + message.PropertiesLength)..];
        Retain = message.Retain;
    }

    /// <summary>
    /// Topic name; of a message that is to be published later (<c>$delayed/SECONDS/TOPIC</c>) TOPIC. A hook may give another one;
    /// rights were looked at before, for the one that the client has sent.
    /// </summary>
    public string Topic { get; init; }

    /// <summary>Application payload. Not to be written to.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>RETAIN flag.</summary>
    public bool Retain { get; init; }

    /// <summary>QoS of the publish.</summary>
    public QualityOfService Qos => _message.Qos;

    /// <summary>Global message id; <see cref="MessageId.None"/> for QoS 0.</summary>
    public MessageId Id => _message.Id;

    /// <summary>Forwarded MQTT 5.0 properties in the form in which packets carry them.</summary>
    public ReadOnlyMemory<byte> Properties => _message.Bytes.Slice(_message.TopicLength, _message.PropertiesLength);

    /// <summary>Whether its topic is a valid topic name.</summary>
    internal bool HasValidTopic
    {
        get
        {
            var topic = Encoding.UTF8.GetBytes(Topic);
            return topic.Length <= ushort.MaxValue && TopicRules.IsValidName(topic) && !DelayedTopic.IsDelayed(topic);
        }
    }

    /// <summary>The message to route; its topic is valid.</summary>
    /// <param name="ids">A retained message has an id, also at QoS 0.</param>
    internal ApplicationMessage ToMessage(MessageIdSource ids)
    {
        var topic = Encoding.UTF8.GetBytes(Topic);
        return new ApplicationMessage([.. topic, .. Properties.Span, .. Payload.Span], topic.Length, _message.PropertiesLength)
        {
            Id = _message.Id == MessageId.None && Retain ? ids.Next(0) : _message.Id,
            Qos = _message.Qos,
            Retain = Retain,
            ExpiresAt = _message.ExpiresAt,
            PublishAt = _message.PublishAt,
            Publisher = _message.Publisher,
        };
    }
}
