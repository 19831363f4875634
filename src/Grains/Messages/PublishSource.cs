using System.Buffers;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Grains.Messages;

/// <summary>
/// A message on its way through the router: either still in the buffer it was received in, or an
/// <see cref="ApplicationMessage"/>. Only a recipient that has to keep the message turns the one into the other, once.
/// </summary>
public ref struct PublishSource
{
    private readonly MessageIdSource? _ids;
    private readonly uint _publisherNumber;
    private ApplicationMessage? _message;

    /// <summary>A message as received, with the Topic Alias resolved.</summary>
    /// <param name="view">The decoded packet; the source is valid as long as its buffer.</param>
    /// <param name="topic">Topic name.</param>
    /// <param name="now">Milliseconds since 1970, to turn the Message Expiry Interval into a time.</param>
    /// <param name="publisher">Client Identifier of the publisher.</param>
    /// <param name="publisherNumber">Number of its connection, for the message id.</param>
    public PublishSource(
        in PublishView view, ReadOnlySpan<byte> topic, long now, string publisher, uint publisherNumber, MessageIdSource ids)
    {
        Topic = topic;
        Properties = view.Properties;
        Payload = view.Payload;
        Qos = view.Qos;
        Retain = view.Retain;
        IsNew = !view.Dup;
        ExpiresAt = view.HasMessageExpiry ? now + (view.MessageExpiryInterval * 1000L) : long.MaxValue;
        Publisher = publisher;
        _publisherNumber = publisherNumber;
        _ids = ids;
    }

    /// <summary>A message that already stands by itself: a Will, a queued or a retained one.</summary>
    public PublishSource(ApplicationMessage message)
    {
        _message = message;
        Topic = message.Topic;
        Properties = message.Properties;
        Payload = new ReadOnlySequence<byte>(message.Bytes[(message.TopicLength + message.PropertiesLength)..]);
        Qos = message.Qos;
        Retain = message.Retain;
        ExpiresAt = message.ExpiresAt;
        PublishAt = message.PublishAt;
        Publisher = message.Publisher;
    }

    public ReadOnlySpan<byte> Topic { get; }

    /// <summary>Forwarded MQTT 5.0 properties, encoded, without length.</summary>
    public ReadOnlySpan<byte> Properties { get; }

    public ReadOnlySequence<byte> Payload { get; }

    public QualityOfService Qos { get; }

    public bool Retain { get; }

    /// <summary>Whether its client has not sent it before [MQTT-3.3.1-1]; false where that is not known.</summary>
    public bool IsNew { get; init; }

    /// <summary>Milliseconds since 1970; <see cref="long.MaxValue"/> when never.</summary>
    public long ExpiresAt { get; }

    /// <summary>When it is to be published, in milliseconds since 1970; 0 when at once.</summary>
    public long PublishAt { get; init; }

    public string Publisher { get; }

    /// <summary>The order that its record has a place in; null when it comes from no connection of this silo.</summary>
    public PublisherRecords? Order { get; set; }

    /// <summary>Its id as far as there is one: a message that nobody has had to keep yet has none.</summary>
    public readonly MessageId Id => _message?.Id ?? MessageId.None;

    /// <summary>What it counts against byte limits.</summary>
    public readonly int Size => Topic.Length + Properties.Length + (int)Payload.Length;

    /// <summary>The message as an object of its own; made on the first call.</summary>
    public ApplicationMessage Materialize() => _message ??= Copy();

    private readonly ApplicationMessage Copy()
    {
        var bytes = GC.AllocateUninitializedArray<byte>(Size);
        Topic.CopyTo(bytes);
        Properties.CopyTo(bytes.AsSpan(Topic.Length));
        Payload.CopyTo(bytes.AsSpan(Topic.Length + Properties.Length));
        return new ApplicationMessage(bytes, Topic.Length, Properties.Length)
        {
            Id = Qos == QualityOfService.AtMostOnce && !Retain ? MessageId.None : _ids!.Next(_publisherNumber),
            Qos = Qos,
            Retain = Retain,
            ExpiresAt = ExpiresAt,
            PublishAt = PublishAt,
            Publisher = Publisher,
        };
    }
}
