using static Broker.Protocol.Tests.Malformed.Hex;

namespace Broker.Protocol.Tests.Malformed;

/// <summary>SUBSCRIBE (section 3.8) and UNSUBSCRIBE (section 3.10).</summary>
public static partial class MalformedCorpus
{
    private const ReasonCode BadFilter = ReasonCode.TopicFilterInvalid;

    // [MQTT-3.8.3-1] [MQTT-3.10.3-1] [MQTT-4.7.3-2]
    private static (string Filter, string SpecId)[] BadFilters =>
    [
        ("", "MQTT-4.7.3-1"), ("a#", "MQTT-4.7.1-1"), ("a/#/b", "MQTT-4.7.1-1"), ("#/a", "MQTT-4.7.1-1"), ("##", "MQTT-4.7.1-1"),
        ("a/b#", "MQTT-4.7.1-1"), ("#a", "MQTT-4.7.1-1"), ("#+", "MQTT-4.7.1-1"), ("+#", "MQTT-4.7.1-2"), ("a+", "MQTT-4.7.1-2"),
        ("+a", "MQTT-4.7.1-2"), ("a/b+/c", "MQTT-4.7.1-2"), ("a/+b", "MQTT-4.7.1-2"), ("++", "MQTT-4.7.1-2"),
    ];

    public static IEnumerable<MalformedPacket> Subscribe() =>
    [
        .. "80 81 83 84 86 8F".Split(' ').SelectMany(first => Later(
            Every, $"SUBSCRIBE with the first byte 0x{first}", "MQTT-3.8.1-1", Malformed, first, "00 01", NoProperties, Text("a"), "00")),
        .. Later(From311, "SUBSCRIBE with DUP", "MQTT-3.8.1-1", Malformed, "8A", "00 01", NoProperties, Text("a"), "00"),
        .. Later(Every, "SUBSCRIBE without content", "3.8.2", Malformed, "82"),
        .. Later(Every, "SUBSCRIBE with half a packet id", "3.8.2", Malformed, "82", "01"),
        .. Later(Every, "SUBSCRIBE with packet id 0", "MQTT-2.2.1-3", ProtocolError, "82", "00 00", NoProperties, Text("a"), "00"),
        .. Later(Every, "SUBSCRIBE without a filter", "MQTT-3.8.3-2", ProtocolError, "82", "00 01", NoProperties),
        .. Later(Every, "SUBSCRIBE with half a filter length", "3.8.3", Malformed, "82", "00 01", NoProperties, "00"),
        .. Later(Every, "SUBSCRIBE with a filter longer than the packet", "3.8.3", Malformed, "82", "00 01", NoProperties, "00 09 61 00"),
        .. Later(Every, "SUBSCRIBE with a filter and no QoS", "3.8.3", Malformed, "82", "00 01", NoProperties, Text("a")),
        .. Later(Every, "SUBSCRIBE whose second filter has no QoS", "3.8.3", Malformed,
            "82", "00 01", NoProperties, Text("a"), "00", Text("b")),
        .. Later(Only3, "SUBSCRIBE for QoS 3", "MQTT-3.8.3-4 of 3.1.1", ProtocolError, "82", "00 01", Text("a"), "03"),
        .. Later(Only5, "SUBSCRIBE for QoS 3", "3.8.3.1", ProtocolError, "82", "00 01 00", Text("a"), "03"),
        .. Later(Only5, "SUBSCRIBE whose second filter is for QoS 3", "3.8.3.1", ProtocolError,
            "82", "00 01 00", Text("a"), "00", Text("b"), "03"),
        .. "04 08 10 40 82".Split(' ').SelectMany(options => Later(
            Only3, $"SUBSCRIBE with the QoS byte 0x{options}", "MQTT-3.8.3-4 of 3.1.1", Malformed, "82", "00 01", Text("a"), options)),
        .. "40 80 C0 41 82".Split(' ').SelectMany(options => Later(
            Only5, $"SUBSCRIBE with the options 0x{options}", "MQTT-3.8.3-5", Malformed, "82", "00 01 00", Text("a"), options)),
        .. Later(Only5, "SUBSCRIBE with Retain Handling 3", "3.8.3.1", ProtocolError, "82", "00 01 00", Text("a"), "30"),
        .. Later(Only5, "SUBSCRIBE with Retain Handling 3 and QoS 1", "3.8.3.1", ProtocolError, "82", "00 01 00", Text("a"), "31"),
        .. Later(Only5, "SUBSCRIBE with No Local on a shared filter", "MQTT-3.8.3-4", ProtocolError,
            "82", "00 01 00", Text("$share/g/a"), "04"),
        .. Later(Only5, "SUBSCRIBE with No Local on a shared filter, QoS 1", "MQTT-3.8.3-4", ProtocolError,
            "82", "00 01 00", Text("a"), "00", Text("$share/g/#"), "05"),
        .. BadFilters.SelectMany(bad => Later(
            Every, $"SUBSCRIBE to '{bad.Filter}'", bad.SpecId, BadFilter, "82", "00 01", NoProperties, Text(bad.Filter), "00")),
        .. Later(Every, "SUBSCRIBE whose second filter is 'a#'", "MQTT-4.7.1-1", BadFilter,
            "82", "00 01", NoProperties, Text("a"), "00", Text("a#"), "00"),
        .. BadTexts.SelectMany(bad => Later(
            Every, $"SUBSCRIBE to a filter with {bad.Name}", bad.SpecId, Malformed,
            "82", "00 01", NoProperties, Binary(bad.Bytes), "00")),

        .. Later(Only5, "SUBSCRIBE without property length", "3.8.2.1.1", Malformed, "82", "00 01"),
        .. Later(Only5, "SUBSCRIBE with properties longer than the packet", "3.8.2.1.1", Malformed, "82", "00 01 20", Text("a"), "00"),
        .. Later(Only5, "SUBSCRIBE with a property length of five bytes", "1.5.5", Malformed, "82", "00 01 80 80 80 80 01"),
        .. SubscribeWith("Subscription Identifier 0", "3.8.2.1.2", ProtocolError, "0B 00"),
        .. SubscribeWith("a Subscription Identifier of five bytes", "1.5.5", Malformed, "0B FF FF FF FF 01"),
        .. SubscribeWith("a Subscription Identifier not in its shortest form", "MQTT-1.5.5-1", Malformed, "0B 81 00"),
        .. SubscribeWith("a Subscription Identifier cut short", "3.8.2.1.2", Malformed, "0B 81"),
        .. SubscribeWith("a Subscription Identifier twice, the same", "3.8.2.1.2", ProtocolError, "0B 01 0B 01"),
        .. SubscribeWith("a User Property without value", "3.8.2.1.3", Malformed, "26", Text("a")),
        .. SubscribeWith("a User Property with U+0000", "MQTT-1.5.4-2", Malformed, "26", Binary("00"), Text("v")),
        .. SubscribeWith("an unknown property", "2.2.2.2", Malformed, "05 00"),
    ];

    public static IEnumerable<MalformedPacket> Unsubscribe() =>
    [
        .. "A0 A1 A3 A4 A6 AF".Split(' ').SelectMany(first => Later(
            Every, $"UNSUBSCRIBE with the first byte 0x{first}", "MQTT-3.10.1-1", Malformed, first, "00 01", NoProperties, Text("a"))),
        .. Later(From311, "UNSUBSCRIBE with DUP", "MQTT-3.10.1-1", Malformed, "AA", "00 01", NoProperties, Text("a")),
        .. Later(Every, "UNSUBSCRIBE without content", "3.10.2", Malformed, "A2"),
        .. Later(Every, "UNSUBSCRIBE with half a packet id", "3.10.2", Malformed, "A2", "01"),
        .. Later(Every, "UNSUBSCRIBE with packet id 0", "MQTT-2.2.1-3", ProtocolError, "A2", "00 00", NoProperties, Text("a")),
        .. Later(Every, "UNSUBSCRIBE without a filter", "MQTT-3.10.3-2", ProtocolError, "A2", "00 01", NoProperties),
        .. Later(Every, "UNSUBSCRIBE with half a filter length", "3.10.3", Malformed, "A2", "00 01", NoProperties, "00"),
        .. Later(Every, "UNSUBSCRIBE with a filter longer than the packet", "3.10.3", Malformed, "A2", "00 01", NoProperties, "00 09 61"),
        .. Later(Every, "UNSUBSCRIBE with a byte after its filter", "3.10.3", Malformed, "A2", "00 01", NoProperties, Text("a"), "00"),
        .. BadFilters.SelectMany(bad => Later(
            Every, $"UNSUBSCRIBE from '{bad.Filter}'", bad.SpecId, BadFilter, "A2", "00 01", NoProperties, Text(bad.Filter))),
        .. BadTexts.SelectMany(bad => Later(
            Every, $"UNSUBSCRIBE from a filter with {bad.Name}", bad.SpecId, Malformed, "A2", "00 01", NoProperties, Binary(bad.Bytes))),
        .. Later(Only5, "UNSUBSCRIBE without property length", "3.10.2.1.1", Malformed, "A2", "00 01"),
        .. Later(Only5, "UNSUBSCRIBE with properties longer than the packet", "3.10.2.1.1", Malformed, "A2", "00 01 20", Text("a")),
        .. Later(Only5, "UNSUBSCRIBE with a User Property without value", "3.10.2.1.2", Malformed,
            "A2", "00 01", Properties("26", Text("a")), Text("a")),
        .. Later(Only5, "UNSUBSCRIBE with an unknown property", "2.2.2.2", Malformed, "A2", "00 01", Properties("06 00"), Text("a")),
    ];

    private static IEnumerable<MalformedPacket> SubscribeWith(
        string name, string specId, ReasonCode expected, params string[] property) =>
        Later(Only5, $"SUBSCRIBE with {name}", specId, expected, "82", "00 01", Properties(property), Text("a"), "00");
}
