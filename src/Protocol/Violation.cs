namespace Broker.Protocol;

/// <summary>The violations that decoders report, one instance each: refusing costs no allocation.</summary>
internal static class Violation
{
    public static readonly ProtocolViolation Truncated = Malformed("1.5", "The packet ends before its fields do.");
    public static readonly ProtocolViolation TrailingBytes = Malformed("2.1.4", "Bytes after the last field of the packet.");
    public static readonly ProtocolViolation Flags = Malformed("MQTT-2.1.3-1", "Reserved flags of the first byte are not as required.");
    public static readonly ProtocolViolation BadUtf8 = Malformed("MQTT-1.5.4-1", "A string is not well-formed UTF-8 or contains U+0000.");
    public static readonly ProtocolViolation BadInteger = Malformed("MQTT-1.5.5-1", "Not a Variable Byte Integer in its shortest form.");
    public static readonly ProtocolViolation PacketIdZero = Protocol("MQTT-2.2.1-3", "Packet Identifier is 0.");
    public static readonly ProtocolViolation WrongPacket = Malformed("2.1.2", "Not a packet of this type.");

    public static readonly ProtocolViolation Qos3 = Malformed("MQTT-3.3.1-4", "Both QoS bits of a PUBLISH are set.");
    public static readonly ProtocolViolation DupQos0 = Malformed("MQTT-3.3.1-2", "DUP is set on a QoS 0 PUBLISH.");
    public static readonly ProtocolViolation EmptyTopic = Protocol("MQTT-4.7.3-1", "Topic Name of length 0 and no Topic Alias.");
    public static readonly ProtocolViolation TopicWildcard = new(ReasonCode.TopicNameInvalid, "MQTT-3.3.2-2", "Topic Name with a wildcard.");
    public static readonly ProtocolViolation PublishIdentifier =
        Protocol("MQTT-3.3.4-6", "PUBLISH from a client with a Subscription Identifier.");

    public static readonly ProtocolViolation ProtocolName = Malformed("MQTT-3.1.2-1", "Protocol Name is neither MQTT nor MQIsdp.");
    public static readonly ProtocolViolation ProtocolLevel =
        new(ReasonCode.UnsupportedProtocolVersion, "MQTT-3.1.2-2", "Protocol Version is not 3, 4 or 5.");
    public static readonly ProtocolViolation ConnectReserved = Malformed("MQTT-3.1.2-3", "Reserved Connect Flag is set.");
    public static readonly ProtocolViolation WillQos3 = Malformed("MQTT-3.1.2-12", "Will QoS is 3.");
    public static readonly ProtocolViolation WillFlags = Malformed("MQTT-3.1.2-11", "Will QoS or Will Retain without Will Flag.");
    public static readonly ProtocolViolation PasswordWithoutUser = Malformed("3.1.1 section 3.1.2.9", "Password without User Name.");
    public static readonly ProtocolViolation WillTopic =
        new(ReasonCode.TopicNameInvalid, "MQTT-3.1.3-11", "Will Topic is empty or has a wildcard.");

    public static readonly ProtocolViolation NoFilter = Protocol("MQTT-3.8.3-2", "SUBSCRIBE or UNSUBSCRIBE without a Topic Filter.");
    public static readonly ProtocolViolation BadFilter = new(ReasonCode.TopicFilterInvalid, "MQTT-4.7.1-1", "Topic Filter is not valid.");
    public static readonly ProtocolViolation OptionBits = Malformed("MQTT-3.8.3-5", "Reserved bits of the Subscription Options are set.");
    public static readonly ProtocolViolation SubscribeQos3 = Protocol("3.8.3.1", "Requested QoS is 3.");
    public static readonly ProtocolViolation RetainHandling3 = Protocol("3.8.3.1", "Retain Handling is 3.");
    public static readonly ProtocolViolation NoLocalShared = Protocol("MQTT-3.8.3-4", "No Local on a shared subscription.");

    public static readonly ProtocolViolation UnknownProperty = Malformed("2.2.2.2", "Property identifier that does not exist.");
    public static readonly ProtocolViolation MisplacedProperty = Malformed("2.2.2.2", "Property that this packet does not have.");
    public static readonly ProtocolViolation RepeatedProperty = Protocol("2.2.2.2", "Property more than once.");
    public static readonly ProtocolViolation PropertyRange = Protocol("2.2.2.2", "Property with a value out of its range.");
    public static readonly ProtocolViolation AliasZero = new(ReasonCode.TopicAliasInvalid, "MQTT-3.3.2-8", "Topic Alias is 0.");
    public static readonly ProtocolViolation DataWithoutMethod =
        Protocol("3.1.2.11.10", "Authentication Data without Authentication Method.");
    public static readonly ProtocolViolation AuthWithoutMethod = Protocol("3.15.2.2.2", "AUTH without Authentication Method.");
    public static readonly ProtocolViolation ResponseTopic =
        Protocol("MQTT-3.3.2-14", "Response Topic is not a valid Topic Name.");
    public static readonly ProtocolViolation BadReasonCode = Malformed("2.4", "Reason Code that this packet does not have.");

    private static ProtocolViolation Malformed(string id, string text) => new(ReasonCode.MalformedPacket, id, text);

    private static ProtocolViolation Protocol(string id, string text) => new(ReasonCode.ProtocolError, id, text);
}
