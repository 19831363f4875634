namespace Broker.Protocol;

/// <summary>Which property has which type and stands in which packets (MQTT 5.0 table 2-4).</summary>
internal static class PropertyTable
{
    private static readonly Entry[] Entries = Build();

    /// <summary>Type of a property and the packets that have it; default for an identifier that does not exist.</summary>
    public static Entry Of(int identifier) => identifier < Entries.Length ? Entries[identifier] : default;

    private static Entry[] Build()
    {
        const Packets PublishAndWill = Packets.Publish | Packets.Will;
        const Packets Acks = Packets.PubAck | Packets.PubRec | Packets.PubRel | Packets.PubComp | Packets.SubAck | Packets.UnsubAck;
        const Packets Answers = Packets.ConnAck | Acks | Packets.Disconnect | Packets.Auth;
        const Packets Everything = Answers | Packets.Connect | PublishAndWill | Packets.Subscribe | Packets.Unsubscribe;

        var table = new Entry[(int)PropertyId.SharedSubscriptionAvailable + 1];
        void Add(PropertyId id, PropertyType type, Packets packets) => table[(int)id] = new Entry(type, packets);

        Add(PropertyId.PayloadFormatIndicator, PropertyType.Flag, PublishAndWill);
        Add(PropertyId.MessageExpiryInterval, PropertyType.UInt32, PublishAndWill);
        Add(PropertyId.ContentType, PropertyType.Text, PublishAndWill);
        Add(PropertyId.ResponseTopic, PropertyType.Topic, PublishAndWill);
        Add(PropertyId.CorrelationData, PropertyType.Binary, PublishAndWill);
        Add(PropertyId.SubscriptionIdentifier, PropertyType.PositiveInteger, Packets.Publish | Packets.Subscribe);
        Add(PropertyId.SessionExpiryInterval, PropertyType.UInt32, Packets.Connect | Packets.ConnAck | Packets.Disconnect);
        Add(PropertyId.AssignedClientIdentifier, PropertyType.Text, Packets.ConnAck);
        Add(PropertyId.ServerKeepAlive, PropertyType.UInt16, Packets.ConnAck);
        Add(PropertyId.AuthenticationMethod, PropertyType.Text, Packets.Connect | Packets.ConnAck | Packets.Auth);
        Add(PropertyId.AuthenticationData, PropertyType.Binary, Packets.Connect | Packets.ConnAck | Packets.Auth);
        Add(PropertyId.RequestProblemInformation, PropertyType.Flag, Packets.Connect);
        Add(PropertyId.WillDelayInterval, PropertyType.UInt32, Packets.Will);
        Add(PropertyId.RequestResponseInformation, PropertyType.Flag, Packets.Connect);
        Add(PropertyId.ResponseInformation, PropertyType.Text, Packets.ConnAck);
        Add(PropertyId.ServerReference, PropertyType.Text, Packets.ConnAck | Packets.Disconnect);
        Add(PropertyId.ReasonString, PropertyType.Text, Answers);
        Add(PropertyId.ReceiveMaximum, PropertyType.PositiveUInt16, Packets.Connect | Packets.ConnAck);
        Add(PropertyId.TopicAliasMaximum, PropertyType.UInt16, Packets.Connect | Packets.ConnAck);
        Add(PropertyId.TopicAlias, PropertyType.Alias, Packets.Publish);
        Add(PropertyId.MaximumQos, PropertyType.Flag, Packets.ConnAck);
        Add(PropertyId.RetainAvailable, PropertyType.Flag, Packets.ConnAck);
        Add(PropertyId.UserProperty, PropertyType.TextPair, Everything);
        Add(PropertyId.MaximumPacketSize, PropertyType.PositiveUInt32, Packets.Connect | Packets.ConnAck);
        Add(PropertyId.WildcardSubscriptionAvailable, PropertyType.Flag, Packets.ConnAck);
        Add(PropertyId.SubscriptionIdentifierAvailable, PropertyType.Flag, Packets.ConnAck);
        Add(PropertyId.SharedSubscriptionAvailable, PropertyType.Flag, Packets.ConnAck);
        return table;
    }

    /// <summary>A row of the table.</summary>
    internal readonly record struct Entry(PropertyType Type, Packets Packets);
}

/// <summary>Packets that have properties; the Will has a list of its own inside CONNECT.</summary>
[Flags]
internal enum Packets
{
    None = 0,
    Connect = 1 << 1,
    ConnAck = 1 << 2,
    Publish = 1 << 3,
    PubAck = 1 << 4,
    PubRec = 1 << 5,
    PubRel = 1 << 6,
    PubComp = 1 << 7,
    Subscribe = 1 << 8,
    SubAck = 1 << 9,
    Unsubscribe = 1 << 10,
    UnsubAck = 1 << 11,
    Disconnect = 1 << 14,
    Auth = 1 << 15,
    Will = 1 << 16,
}

/// <summary>Type of a property with the range of its value.</summary>
internal enum PropertyType
{
    /// <summary>No such property.</summary>
    None,

    /// <summary>A byte, 0 or 1.</summary>
    Flag,
    UInt16,

    /// <summary>Not 0.</summary>
    PositiveUInt16,

    /// <summary>Topic Alias: not 0, with a Reason Code of its own.</summary>
    Alias,
    UInt32,

    /// <summary>Not 0.</summary>
    PositiveUInt32,

    /// <summary>Variable Byte Integer, not 0.</summary>
    PositiveInteger,
    Text,

    /// <summary>Text that is a valid Topic Name.</summary>
    Topic,
    TextPair,
    Binary,
}
