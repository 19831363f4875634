using static Broker.Protocol.Tests.Malformed.Hex;

namespace Broker.Protocol.Tests.Malformed;

/// <summary>PUBLISH (section 3.3).</summary>
public static partial class MalformedCorpus
{
    private const ReasonCode BadTopic = ReasonCode.TopicNameInvalid;

    public static IEnumerable<MalformedPacket> Publish() =>
    [
        .. Later(Every, "PUBLISH with QoS 3", "MQTT-3.3.1-4", Malformed, "36", Text("a"), "00 01", NoProperties, "6D"),
        .. Later(Every, "PUBLISH with QoS 3 and DUP", "MQTT-3.3.1-4", Malformed, "3E", Text("a"), "00 01", NoProperties),
        .. Later(Every, "PUBLISH with QoS 3 and RETAIN", "MQTT-3.3.1-4", Malformed, "37", Text("a"), "00 01", NoProperties),
        .. Later(Every, "PUBLISH with DUP and QoS 0", "MQTT-3.3.1-2", Malformed, "38", Text("a"), NoProperties),
        .. Later(Every, "PUBLISH with DUP, RETAIN and QoS 0", "MQTT-3.3.1-2", Malformed, "39", Text("a"), NoProperties),
        .. Later(Every, "PUBLISH without content", "3.3.2", Malformed, "30"),
        .. Later(Every, "PUBLISH with half a topic length", "3.3.2.1", Malformed, "30", "00"),
        .. Later(Every, "PUBLISH with a topic length and no topic", "3.3.2.1", Malformed, "30", "00 01"),
        .. Later(Every, "PUBLISH with a topic longer than the packet", "3.3.2.1", Malformed, "30", "00 09 61 00"),
        .. Later(Every, "PUBLISH with a topic of 65,535 bytes that are not there", "3.3.2.1", Malformed, "30", "FF FF 61 62"),
        .. Later(Every, "PUBLISH of QoS 1 without packet id", "3.3.2.2", Malformed, "32", Text("a")),
        .. Later(Every, "PUBLISH of QoS 1 with half a packet id", "3.3.2.2", Malformed, "32", Text("a"), "00"),
        .. Later(Every, "PUBLISH of QoS 2 without packet id", "3.3.2.2", Malformed, "34", Text("a")),
        .. Later(Every, "PUBLISH of QoS 2 with half a packet id", "3.3.2.2", Malformed, "34", Text("a"), "01"),
        .. Later(Every, "PUBLISH of QoS 1 with packet id 0", "MQTT-2.2.1-3", ProtocolError, "32", Text("a"), "00 00", NoProperties),
        .. Later(Every, "PUBLISH of QoS 2 with packet id 0", "MQTT-2.2.1-3", ProtocolError, "34", Text("a"), "00 00", NoProperties),
        .. Later(Every, "PUBLISH again (DUP) with packet id 0", "MQTT-2.2.1-3", ProtocolError, "3A", Text("a"), "00 00", NoProperties),

        .. Later(Every, "PUBLISH with an empty topic", "MQTT-4.7.3-1", ProtocolError, "30", Text(""), NoProperties),
        .. Later(Every, "PUBLISH of QoS 1 with an empty topic", "MQTT-4.7.3-1", ProtocolError, "32", Text(""), "00 01", NoProperties),
        .. Later(Every, "PUBLISH to #", "MQTT-3.3.2-2", BadTopic, "30", Text("#"), NoProperties),
        .. Later(Every, "PUBLISH to +", "MQTT-3.3.2-2", BadTopic, "30", Text("+"), NoProperties),
        .. Later(Every, "PUBLISH to a/#", "MQTT-3.3.2-2", BadTopic, "30", Text("a/#"), NoProperties),
        .. Later(Every, "PUBLISH to a/+/b", "MQTT-3.3.2-2", BadTopic, "30", Text("a/+/b"), NoProperties),
        .. Later(Every, "PUBLISH to a+b", "MQTT-3.3.2-2", BadTopic, "32", Text("a+b"), "00 01", NoProperties),
        .. Later(Every, "PUBLISH to a#b", "MQTT-3.3.2-2", BadTopic, "34", Text("a#b"), "00 01", NoProperties),
        // [MQTT-3.3.2-1] [MQTT-4.7.3-2]
        .. BadTexts.SelectMany(bad => Later(
            Every, $"PUBLISH to a topic with {bad.Name}", bad.SpecId, Malformed, "30", Binary(bad.Bytes), NoProperties)),

        .. Later(Only5, "PUBLISH without property length", "3.3.2.3.1", Malformed, "30", Text("a")),
        .. Later(Only5, "PUBLISH of QoS 1 without property length", "3.3.2.3.1", Malformed, "32", Text("a"), "00 01"),
        .. Later(Only5, "PUBLISH with a property length cut short", "3.3.2.3.1", Malformed, "30", Text("a"), "80"),
        .. Later(Only5, "PUBLISH with properties longer than the packet", "3.3.2.3.1", Malformed, "30", Text("a"), "09 01 01"),
        .. Later(Only5, "PUBLISH with a property length of five bytes", "1.5.5", Malformed, "30", Text("a"), "FF FF FF FF 01"),
        .. Later(Only5, "PUBLISH with a property length not in its shortest form", "MQTT-1.5.5-1", Malformed, "30", Text("a"), "80 00"),
        .. PublishWith("the unknown property 0x00", "2.2.2.2", Malformed, "00 00"),
        .. PublishWith("the unknown property 0x04", "2.2.2.2", Malformed, "04 00"),
        .. PublishWith("the unknown property 0x7F", "2.2.2.2", Malformed, "7F 00"),
        .. PublishWith("an unknown property of two bytes", "2.2.2.2", Malformed, "81 01 00"),
        .. PublishWith("a property identifier not in its shortest form", "MQTT-1.5.5-1", Malformed, "81 00 01"),
        .. PublishWith("a property identifier cut short", "2.2.2.2", Malformed, "81"),
        .. PublishWith("Payload Format Indicator 2", "3.3.2.3.2", ProtocolError, "01 02"),
        .. PublishWith("Payload Format Indicator 255", "3.3.2.3.2", ProtocolError, "01 FF"),
        .. PublishWith("Payload Format Indicator without value", "3.3.2.3.2", Malformed, "01"),
        .. PublishWith("Message Expiry Interval cut short", "3.3.2.3.3", Malformed, "02 00 00 00"),
        .. PublishWith("Topic Alias 0", "MQTT-3.3.2-8", ReasonCode.TopicAliasInvalid, "23 00 00"),
        .. PublishWith("Topic Alias cut short", "3.3.2.3.4", Malformed, "23 00"),
        .. Later(Only5, "PUBLISH without topic and with Topic Alias 0", "MQTT-3.3.2-8", ReasonCode.TopicAliasInvalid,
            "30", Text(""), Properties("23 00 00")),
        .. Later(Only5, "PUBLISH without topic and with properties other than Topic Alias", "3.3.2.1", ProtocolError,
            "30", Text(""), Properties("01 01")),
        .. PublishWith("Response Topic #", "MQTT-3.3.2-14", ProtocolError, "08", Text("#")),
        .. PublishWith("Response Topic a/+", "MQTT-3.3.2-14", ProtocolError, "08", Text("a/+")),
        .. PublishWith("an empty Response Topic", "MQTT-4.7.3-1", ProtocolError, "08", Text("")),
        .. PublishWith("a Response Topic cut short", "3.3.2.3.5", Malformed, "08 00 05 61"),
        .. PublishWith("Correlation Data cut short", "3.3.2.3.6", Malformed, "09 00 05 61"),
        .. PublishWith("half the length of Correlation Data", "3.3.2.3.6", Malformed, "09 00"),
        .. PublishWith("a Content Type cut short", "3.3.2.3.9", Malformed, "03 00 02 61"),
        .. PublishWith("a User Property without value", "3.3.2.3.7", Malformed, "26", Text("a")),
        .. PublishWith("a User Property without name", "3.3.2.3.7", Malformed, "26"),
        .. PublishWith("a User Property whose value is cut short", "3.3.2.3.7", Malformed, "26", Text("a"), "00 02 62"),
        .. PublishWith("a Subscription Identifier", "MQTT-3.3.4-6", ProtocolError, "0B 01"),
        .. PublishWith("two Subscription Identifiers", "MQTT-3.3.4-6", ProtocolError, "0B 01 0B 02"),
        .. PublishWith("Subscription Identifier 0", "3.3.2.3.8", ProtocolError, "0B 00"),
        // [MQTT-3.3.2-19] [MQTT-3.3.2-13] [MQTT-1.5.7-1]
        .. BadTexts.SelectMany(bad => PublishWith($"a Content Type with {bad.Name}", bad.SpecId, Malformed, "03", Binary(bad.Bytes))),
        .. BadTexts.SelectMany(bad => PublishWith($"a Response Topic with {bad.Name}", bad.SpecId, Malformed, "08", Binary(bad.Bytes))),
        .. BadTexts.SelectMany(bad => PublishWith(
            $"a User Property whose name has {bad.Name}", bad.SpecId, Malformed, "26", Binary(bad.Bytes), Text("v"))),
        .. BadTexts.SelectMany(bad => PublishWith(
            $"a User Property whose value has {bad.Name}", bad.SpecId, Malformed, "26", Text("n"), Binary(bad.Bytes))),
    ];

    private static (string Name, string SpecId, string Bytes)[] BadTexts =>
    [
        ("U+0000", "MQTT-1.5.4-2", "61 00 62"),
        ("an ill-formed sequence", "MQTT-1.5.4-1", "C3 28"),
        ("a surrogate", "MQTT-1.5.4-1", "ED A0 80"),
        ("a pair of surrogates", "MQTT-1.5.4-1", "ED A0 BD ED B8 80"),
        ("an overlong form", "MQTT-1.5.4-1", "C0 80"),
        ("a code point beyond U+10FFFF", "MQTT-1.5.4-1", "F4 90 80 80"),
        ("a sequence cut short", "MQTT-1.5.4-1", "61 E2 82"),
        ("a continuation byte alone", "MQTT-1.5.4-1", "80"),
        ("the byte 0xFF", "MQTT-1.5.4-1", "61 FF"),
    ];

    private static IEnumerable<MalformedPacket> PublishWith(
        string name, string specId, ReasonCode expected, params string[] property) =>
        Later(Only5, $"PUBLISH with {name}", specId, expected, "30", Text("a"), Properties(property), "6D");
}
