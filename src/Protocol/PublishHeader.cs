namespace Broker.Protocol;

/// <summary>What differs between the PUBLISH packets of one message.</summary>
public readonly ref struct PublishHeader
{
    public ProtocolVersion Version { get; init; }

    public QualityOfService Qos { get; init; }

    public bool Retain { get; init; }

    public bool Dup { get; init; }

    /// <summary>Ignored for QoS 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>0 for none.</summary>
    public ushort TopicAlias { get; init; }

    /// <summary>The Topic Name is left out: the receiver knows it by the alias.</summary>
    public bool OmitTopic { get; init; }

    public bool HasMessageExpiry { get; init; }

    /// <summary>Seconds.</summary>
    public uint MessageExpiryInterval { get; init; }

    public ReadOnlySpan<uint> SubscriptionIdentifiers { get; init; }

    /// <summary>Bytes of the properties that this header adds to the message's own.</summary>
    internal int OwnPropertiesLength
    {
        get
        {
            // An identifier byte each, then two, four, or a Variable Byte Integer.
            var length = (TopicAlias == 0 ? 0 : 3) + (HasMessageExpiry ? 5 : 0);
            foreach (var identifier in SubscriptionIdentifiers)
            {
                length += 1 + VariableByteInteger.Length(identifier);
            }

            return length;
        }
    }
}
