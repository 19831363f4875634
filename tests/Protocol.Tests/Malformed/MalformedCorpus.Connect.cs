using static Broker.Protocol.Tests.Malformed.Hex;

namespace Broker.Protocol.Tests.Malformed;

/// <summary>CONNECT (section 3.1): fixed header, protocol, flags, payload.</summary>
public static partial class MalformedCorpus
{
    private const ReasonCode BadVersion = ReasonCode.UnsupportedProtocolVersion;

    private static readonly string Id = Text("id");

    public static IEnumerable<MalformedPacket> Connect() =>
    [
        .. "11 12 14 18 1F".Split(' ').SelectMany(first => Every.SelectMany(version => FirstOf(
            [version], $"CONNECT with the first byte 0x{first}", "MQTT-2.1.3-1", Malformed, first, Protocol(version), "02 00 00", NoProperties, Id))),
        .. FirstOf(Only311, "CONNECT without content", "3.1.2", Malformed, "10"),
        .. FirstOf(Only311, "CONNECT with half a name length", "3.1.2.1", Malformed, "10", "00"),
        .. FirstOf(Only311, "CONNECT with the name MQTX", "MQTT-3.1.2-1", Malformed, "10", Text("MQTX"), "04 02 00 00", Id),
        .. FirstOf(Only311, "CONNECT with the name mqtt", "MQTT-3.1.2-1", Malformed, "10", Text("mqtt"), "04 02 00 00", Id),
        .. FirstOf(Only311, "CONNECT with an empty name", "MQTT-3.1.2-1", Malformed, "10", Text(""), "04 02 00 00", Id),
        .. FirstOf(Only5, "CONNECT with the name MQTTT", "MQTT-3.1.2-1", Malformed, "10", Text("MQTTT"), "05 02 00 00 00", Id),
        .. FirstOf(Only311, "CONNECT with an ill-formed name", "MQTT-1.5.4-1", Malformed, "10", Binary("4D 51 54 FF"), "04 02 00 00", Id),
        .. FirstOf(Only311, "CONNECT with a name longer than the packet", "3.1.2.1", Malformed, "10", "00 20 4D 51 54 54"),
        .. FirstOf(Only311, "CONNECT without version", "3.1.2.2", Malformed, "10", Text("MQTT")),
        .. "00 01 02 03 06 07 7F FF".Split(' ').SelectMany(level => FirstOf(
            Only311, $"CONNECT MQTT with version 0x{level}", "MQTT-3.1.2-2", BadVersion, "10", Text("MQTT"), level, "02 00 00", Id)),
        .. "00 02 04 05 06".Split(' ').SelectMany(level => FirstOf(
            [ProtocolVersion.Mqtt31], $"CONNECT MQIsdp with version 0x{level}", "MQTT-3.1.2-2", BadVersion,
            "10", Text("MQIsdp"), level, "02 00 00", Id)),

        .. From311.SelectMany(version => Flags(version, "the reserved flag", "MQTT-3.1.2-3", "03", Id)),
        .. Every.SelectMany(version => Flags(version, "Will QoS 3", "MQTT-3.1.2-12", "1E", Id, NoProperties, Text("w"), Text("m"))),
        .. Every.SelectMany(version => Flags(version, "Will QoS 3 and no Will", "MQTT-3.1.2-12", "1A", Id)),
        .. Every.SelectMany(version => Flags(version, "Will QoS 1 and no Will", "MQTT-3.1.2-11", "0A", Id)),
        .. Every.SelectMany(version => Flags(version, "Will QoS 2 and no Will", "MQTT-3.1.2-11", "12", Id)),
        .. Every.SelectMany(version => Flags(version, "Will Retain and no Will", "MQTT-3.1.2-13", "22", Id)),
        .. Only3.SelectMany(version => Flags(version, "a password and no user name", "MQTT-3.1.2-22 of 3.1.1", "42", Id, Text("p"))),
        .. Every.SelectMany(version => FirstOf([version], "CONNECT without flags", "3.1.2.3", Malformed, "10", Protocol(version))),
        .. Every.SelectMany(version => FirstOf([version], "CONNECT without Keep Alive", "3.1.2.10", Malformed, "10", Protocol(version), "02")),
        .. Every.SelectMany(version => FirstOf(
            [version], "CONNECT with half a Keep Alive", "3.1.2.10", Malformed, "10", Protocol(version), "02 00")),
        .. Every.SelectMany(version => FirstOf(
            [version], "CONNECT without client id", "MQTT-3.1.3-3", Malformed, "10", Protocol(version), "02 00 00", NoProperties)),

        .. Every.SelectMany(version => Flags(version, "a client id cut short", "3.1.3.1", "02", "00 09 69")),
        .. Every.SelectMany(version => Flags(version, "bytes after the payload", "3.1.3", "02", Id, "00")),
        .. From311.SelectMany(version => Flags(version, "a user name flag and no user name", "MQTT-3.1.2-17", "82", Id)),
        .. Every.SelectMany(version => Flags(version, "a user name cut short", "3.1.3.5", "82", Id, "00 04 75")),
        .. Every.SelectMany(version => Flags(version, "half a user name length", "3.1.3.5", "82", Id, "00")),
        .. From311.SelectMany(version => Flags(version, "a password flag and no password", "MQTT-3.1.2-19", "C2", Id, Text("u"))),
        .. Every.SelectMany(version => Flags(version, "a password cut short", "3.1.3.6", "C2", Id, Text("u"), "00 04 70")),
        .. Every.SelectMany(version => Flags(version, "a user name and no flag", "MQTT-3.1.2-16", "02", Id, Text("u"))),
        .. Every.SelectMany(version => Flags(version, "a Will and no Will Flag", "MQTT-3.1.2-9", "02", Id, Text("w"), Text("m"))),
        .. Every.SelectMany(version => BadTexts.SelectMany(bad => Flags(
            version, $"a client id with {bad.Name}", bad.SpecId, "02", Binary(bad.Bytes)))),
        .. Every.SelectMany(version => BadTexts.SelectMany(bad => Flags(
            version, $"a user name with {bad.Name}", bad.SpecId, "82", Id, Binary(bad.Bytes)))),
    ];

    /// <summary>Protocol name and version.</summary>
    private static string Protocol(ProtocolVersion version) => version switch
    {
        ProtocolVersion.Mqtt31 => Text("MQIsdp") + " 03",
        ProtocolVersion.Mqtt311 => Text("MQTT") + " 04",
        _ => Text("MQTT") + " 05",
    };

    private static IEnumerable<MalformedPacket> Flags(
        ProtocolVersion version, string name, string specId, string flags, params string[] payload) =>
        FirstOf([version], $"CONNECT with {name}", specId, Malformed, "10", [Protocol(version), flags, "00 00", NoProperties, .. payload]);

    private static IEnumerable<MalformedPacket> FirstOf(
        ProtocolVersion[] versions, string name, string specId, ReasonCode expected, string firstByte, params string[] fields) =>
        Later(versions, name, specId, expected, firstByte, fields).Select(packet => packet with { IsFirstPacket = true });
}
