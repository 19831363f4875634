using static Broker.Protocol.Tests.Malformed.Hex;

namespace Broker.Protocol.Tests.Malformed;

/// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP (sections 3.4 to 3.7).</summary>
public static partial class MalformedCorpus
{
    private static (string Name, string Section, string First, string WrongFlags, string WrongReason)[] Answers =>
    [
        ("PUBACK", "3.4", "40", "41", "92"),
        ("PUBREC", "3.5", "50", "54", "01"),
        ("PUBREL", "3.6", "62", "60", "10"),
        ("PUBCOMP", "3.7", "70", "72", "87"),
    ];

    public static IEnumerable<MalformedPacket> Acknowledgements() =>
        Answers.SelectMany(answer => Acknowledgement(answer.Name, answer.Section, answer.First, answer.WrongFlags, answer.WrongReason))
            .Concat(Later(Every, "PUBREL with all flags", "MQTT-3.6.1-1", Malformed, "6F", "00 01"))
            .Concat(Later(Every, "PUBREL with the flags of QoS 2", "MQTT-3.6.1-1", Malformed, "64", "00 01"))
            .Concat(Later(From311, "PUBREL with DUP", "MQTT-3.6.1-1", Malformed, "6A", "00 01"))
            .Concat(Later(Every, "PUBACK with DUP", "MQTT-2.1.3-1", Malformed, "48", "00 01"));

    private static IEnumerable<MalformedPacket> Acknowledgement(
        string name, string section, string first, string wrongFlags, string wrongReason) =>
    [
        .. Later(Every, $"{name} with wrong flags", first == "62" ? "MQTT-3.6.1-1" : "MQTT-2.1.3-1", Malformed, wrongFlags, "00 01"),
        .. Later(Every, $"{name} without packet id", $"{section}.2", Malformed, first),
        .. Later(Every, $"{name} with half a packet id", $"{section}.2", Malformed, first, "01"),
        .. Later(Every, $"{name} with packet id 0", "MQTT-2.2.1-3", ProtocolError, first, "00 00"),
        .. Later(Only3, $"{name} with a reason code", $"{section}.2", Malformed, first, "00 01 00"),
        .. Later(Only3, $"{name} with a byte too many", $"{section}.3", Malformed, first, "00 01 10 00"),
        .. Later(Only5, $"{name} with the reason code of another packet", $"{section}.2.1", Malformed, first, "00 01", wrongReason),
        .. Later(Only5, $"{name} with a reason code that does not exist", $"{section}.2.1", Malformed, first, "00 01 7F"),
        .. Later(Only5, $"{name} with reason code 0xFF", $"{section}.2.1", Malformed, first, "00 01 FF 00"),
        .. Later(Only5, $"{name} with packet id 0 and a reason code", "MQTT-2.2.1-3", ProtocolError, first, "00 00 00 00"),
        .. Later(Only5, $"{name} with properties longer than the packet", $"{section}.2.2", Malformed, first, "00 01 00 05 1F"),
        .. Later(Only5, $"{name} with a property length and no properties", $"{section}.2.2", Malformed, first, "00 01 00 05"),
        .. Later(Only5, $"{name} with a property length cut short", $"{section}.2.2", Malformed, first, "00 01 00 80"),
        .. Later(Only5, $"{name} with bytes after the properties", $"{section}.3", Malformed, first, "00 01 00 00 00"),
        .. Later(Only5, $"{name} with a Reason String cut short", $"{section}.2.2.2", Malformed, first, "00 01 00", Properties("1F 00 09 61")),
        .. Later(Only5, $"{name} with a Reason String with U+0000", "MQTT-1.5.4-2", Malformed,
            first, "00 01 00", Properties("1F", Binary("00"))),
        .. Later(Only5, $"{name} with an ill-formed Reason String", "MQTT-1.5.4-1", Malformed,
            first, "00 01 00", Properties("1F", Binary("C3 28"))),
        .. Later(Only5, $"{name} with a User Property without value", $"{section}.2.2.3", Malformed,
            first, "00 01 00", Properties("26", Text("a"))),
        .. Later(Only5, $"{name} with an unknown property", "2.2.2.2", Malformed, first, "00 01 00", Properties("7E 00")),
    ];
}
