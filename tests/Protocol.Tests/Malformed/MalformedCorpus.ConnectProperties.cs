using static Broker.Protocol.Tests.Malformed.Hex;

namespace Broker.Protocol.Tests.Malformed;

/// <summary>Properties of CONNECT (section 3.1.2.11) and the Will (section 3.1.3.2).</summary>
public static partial class MalformedCorpus
{
    public static IEnumerable<MalformedPacket> ConnectProperties() =>
    [
        .. ConnectList("without property length", "3.1.2.11.1", Malformed, ""),
        .. ConnectList("with a property length cut short", "3.1.2.11.1", Malformed, "80"),
        .. ConnectList("with properties longer than the packet", "3.1.2.11.1", Malformed, "20 11 00"),
        .. ConnectList("with a property length of five bytes", "1.5.5", Malformed, "FF FF FF FF 01"),
        .. ConnectList("with a property length not in its shortest form", "MQTT-1.5.5-1", Malformed, "80 00"),
        .. ConnectWith("Session Expiry Interval cut short", "3.1.2.11.2", Malformed, "11 00 00 00"),
        .. ConnectWith("Receive Maximum 0", "3.1.2.11.3", ProtocolError, "21 00 00"),
        .. ConnectWith("Receive Maximum cut short", "3.1.2.11.3", Malformed, "21 01"),
        .. ConnectWith("Maximum Packet Size 0", "3.1.2.11.4", ProtocolError, "27 00 00 00 00"),
        .. ConnectWith("Maximum Packet Size cut short", "3.1.2.11.4", Malformed, "27 00 01"),
        .. ConnectWith("Topic Alias Maximum cut short", "3.1.2.11.5", Malformed, "22 01"),
        .. ConnectWith("Request Response Information 2", "3.1.2.11.6", ProtocolError, "19 02"),
        .. ConnectWith("Request Response Information 255", "3.1.2.11.6", ProtocolError, "19 FF"),
        .. ConnectWith("Request Response Information without value", "3.1.2.11.6", Malformed, "19"),
        .. ConnectWith("Request Problem Information 2", "3.1.2.11.7", ProtocolError, "17 02"),
        .. ConnectWith("Request Problem Information without value", "3.1.2.11.7", Malformed, "17"),
        .. ConnectWith("a User Property without value", "3.1.2.11.8", Malformed, "26", Text("a")),
        .. ConnectWith("a User Property with U+0000", "MQTT-1.5.4-2", Malformed, "26", Text("a"), Binary("00")),
        .. ConnectWith("an ill-formed Authentication Method", "MQTT-1.5.4-1", Malformed, "15", Binary("FF")),
        .. ConnectWith("an Authentication Method cut short", "3.1.2.11.9", Malformed, "15 00 05 61"),
        .. ConnectWith("Authentication Data and no method", "3.1.2.11.10", ProtocolError, "16", Text("d")),
        .. ConnectWith("Authentication Data cut short", "3.1.2.11.10", Malformed, "15", Text("m"), "16 00 05 61"),
        .. ConnectWith("an unknown property", "2.2.2.2", Malformed, "7F 00"),
        .. ConnectWith("the unknown property 0x20", "2.2.2.2", Malformed, "20 00"),
    ];

    public static IEnumerable<MalformedPacket> Will() =>
    [
        .. Every.SelectMany(version => Flags(version, "a Will Flag and no Will", "MQTT-3.1.2-9", "06", Id, NoProperties)),
        .. Every.SelectMany(version => Flags(version, "a Will Topic cut short", "3.1.3.3", "06", Id, NoProperties, "00 09 77")),
        .. Every.SelectMany(version => Flags(version, "a Will Topic and no payload", "MQTT-3.1.2-9", "06", Id, NoProperties, Text("w"))),
        .. Every.SelectMany(version => Flags(version, "a Will Payload cut short", "3.1.3.4", "06", Id, NoProperties, Text("w"), "00 09 6D")),
        .. "|#|+|a/#|a/+/b|a#".Split('|').SelectMany(topic => Every.SelectMany(version => Flags(
            version, $"the Will Topic '{topic}'", topic.Length == 0 ? "MQTT-4.7.3-1" : "MQTT-4.7.1-1", "06",
            Id, NoProperties, Text(topic), Text("m")))).Select(packet => packet with { Expected = BadTopic }),
        .. Every.SelectMany(version => BadTexts.SelectMany(bad => Flags(
            version, $"a Will Topic with {bad.Name}", bad.SpecId, "06", Id, NoProperties, Binary(bad.Bytes), Text("m")))),
        .. Flags(ProtocolVersion.Mqtt5, "a Will and no property length", "3.1.3.2.1", "06", Id),
        .. Flags(ProtocolVersion.Mqtt5, "Will Properties longer than the packet", "3.1.3.2.1", "06", Id, "30 18", Text("w"), Text("m")),
        .. WillWith("Will Delay Interval cut short", "3.1.3.2.2", Malformed, "18 00 00"),
        .. WillWith("Payload Format Indicator 2", "3.1.3.2.3", ProtocolError, "01 02"),
        .. WillWith("Message Expiry Interval cut short", "3.1.3.2.4", Malformed, "02 00"),
        .. WillWith("a Content Type with U+0000", "MQTT-1.5.4-2", Malformed, "03", Binary("00")),
        .. WillWith("Response Topic #", "MQTT-3.3.2-14", ProtocolError, "08", Text("#")),
        .. WillWith("an empty Response Topic", "MQTT-4.7.3-1", ProtocolError, "08", Text("")),
        .. WillWith("Correlation Data cut short", "3.1.3.2.7", Malformed, "09 00 05 61"),
        .. WillWith("a User Property without value", "3.1.3.2.8", Malformed, "26", Text("a")),
        .. WillWith("an unknown property", "2.2.2.2", Malformed, "2B 00"),
    ];

    private static IEnumerable<MalformedPacket> ConnectWith(string name, string specId, ReasonCode expected, params string[] property) =>
        FirstOf(Only5, $"CONNECT with {name}", specId, expected, "10", Text("MQTT"), "05 02 00 00", Properties(property), Id);

    private static IEnumerable<MalformedPacket> WillWith(string name, string specId, ReasonCode expected, params string[] property) =>
        FirstOf(Only5, $"CONNECT with a Will with {name}", specId, expected,
            "10", Text("MQTT"), "05 06 00 00 00", Id, Properties(property), Text("w"), Text("m"));

    /// <summary>Whatever stands in the place of the property list ends the packet.</summary>
    private static IEnumerable<MalformedPacket> ConnectList(string name, string specId, ReasonCode expected, string list) =>
        FirstOf(Only5, $"CONNECT {name}", specId, expected, "10", Text("MQTT"), "05 02 00 00", list);
}
