using Broker.Protocol;

namespace Broker.Grains.Messages;

/// <summary>
/// One published message, immutable, shared by every session that receives it. Topic, properties and payload stand in one
/// array, in the order in which a PUBLISH carries them, so that sending copies slices and encodes nothing again.
/// </summary>
public sealed class ApplicationMessage
{
    private readonly byte[] _bytes;
    private readonly int _topicLength;
    private readonly int _propertiesLength;

    /// <param name="bytes">Topic, properties, payload, back to back. Owned by the message from here on.</param>
    /// <param name="topicLength">Bytes of the topic name (UTF-8, no length prefix).</param>
    /// <param name="propertiesLength">Bytes of the forwarded MQTT 5.0 properties (no length prefix; without Topic Alias,
    /// Subscription Identifier and Message Expiry Interval, which belong to one hop).</param>
    public ApplicationMessage(byte[] bytes, int topicLength, int propertiesLength)
    {
        _bytes = bytes;
        _topicLength = topicLength;
        _propertiesLength = propertiesLength;
    }

    /// <summary>Global id; <see cref="MessageId.None"/> for QoS 0.</summary>
    public MessageId Id { get; init; }

    /// <summary>QoS of the publish; a delivery has the smaller of it and the granted one.</summary>
    public QualityOfService Qos { get; init; }

    /// <summary>RETAIN flag of the publish.</summary>
    public bool Retain { get; init; }

    /// <summary>When it expires, in milliseconds since 1970; <see cref="long.MaxValue"/> when never.</summary>
    public long ExpiresAt { get; init; } = long.MaxValue;

    /// <summary>When it is to be published, in milliseconds since 1970; 0 when at once.</summary>
    public long PublishAt { get; init; }

    /// <summary>Client Identifier of the publisher: for No Local and for the loss ledger.</summary>
    public string Publisher { get; init; } = "";

    /// <summary>
    /// Whether its publisher may publish it again, under the same id, through another silo than the one that is doing so: a
    /// QoS 2 publish of a durable session, or a delayed message, that silos beside the accepting one take part in.
    /// </summary>
    public bool MayRepeat { get; internal set; }

    /// <summary>Whether it is not retained although its publisher asked for it, because of a limit of the silo that accepted it.</summary>
    public bool IsRetainRefused { get; internal set; }

    /// <summary>Topic name, UTF-8.</summary>
    public ReadOnlySpan<byte> Topic => _bytes.AsSpan(0, _topicLength);

    /// <summary>Forwarded MQTT 5.0 properties, encoded.</summary>
    public ReadOnlySpan<byte> Properties => _bytes.AsSpan(_topicLength, _propertiesLength);

    /// <summary>Application payload.</summary>
    public ReadOnlySpan<byte> Payload => _bytes.AsSpan(_topicLength + _propertiesLength);

    /// <summary>Topic, properties and payload as one slice: what a store keeps.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>Length of <see cref="Topic"/> in bytes.</summary>
    public int TopicLength => _topicLength;

    /// <summary>Length of <see cref="Properties"/> in bytes.</summary>
    public int PropertiesLength => _propertiesLength;

    /// <summary>What it counts against byte limits.</summary>
    public int Size => _bytes.Length;

    /// <summary>The same message under the id that it had when it was published before.</summary>
    public ApplicationMessage As(MessageId id) => new(_bytes, _topicLength, _propertiesLength)
    {
        Id = id,
        Qos = Qos,
        Retain = Retain,
        ExpiresAt = ExpiresAt,
        Publisher = Publisher,
        MayRepeat = true,
    };

    /// <summary>The same message under an id of its own, to be published at once.</summary>
    public ApplicationMessage Under(MessageId id) => new(_bytes, _topicLength, _propertiesLength)
    {
        Id = id,
        Qos = Qos,
        Retain = Retain,
        ExpiresAt = ExpiresAt,
        Publisher = Publisher,
    };

    /// <summary>Whether the message has expired at <paramref name="now"/> (milliseconds since 1970).</summary>
    public bool IsExpired(long now) => ExpiresAt <= now;
}
