using static Broker.Protocol.Tests.Malformed.Hex;

namespace Broker.Protocol.Tests.Malformed;

/// <summary>DISCONNECT (section 3.14), PINGREQ (section 3.12), AUTH (section 3.15).</summary>
public static partial class MalformedCorpus
{
    public static IEnumerable<MalformedPacket> Disconnect() =>
    [
        .. "E1 E2 E4 E8 EF".Split(' ').SelectMany(first => Later(
            Every, $"DISCONNECT with the first byte 0x{first}", "MQTT-3.14.1-1", Malformed, first)),
        .. Later(Only3, "DISCONNECT with a body", "3.14.2", Malformed, "E0", "00"),
        .. Later(Only3, "DISCONNECT with the body of 5.0", "3.14.2", Malformed, "E0", "00 00"),
        .. "01 02 03 05 10 11 18 19 7F 84 85 86 88 8A 91 92 A3 FF".Split(' ')
            .SelectMany(reason => Later(
                Only5, $"DISCONNECT with reason code 0x{reason}", "MQTT-3.14.2-1", Malformed, "E0", reason)),
        .. Later(Only5, "DISCONNECT with a property length cut short", "3.14.2.2.1", Malformed, "E0", "00 80"),
        .. Later(Only5, "DISCONNECT with properties longer than the packet", "3.14.2.2.1", Malformed, "E0", "00 05 11"),
        .. Later(Only5, "DISCONNECT with bytes after the properties", "3.14.3", Malformed, "E0", "00 00 00"),
        .. Later(Only5, "DISCONNECT with Session Expiry Interval cut short", "3.14.2.2.2", Malformed, "E0", "00", Properties("11 00 00")),
        .. Later(Only5, "DISCONNECT with a Reason String cut short", "3.14.2.2.3", Malformed, "E0", "00", Properties("1F 00 04 61")),
        .. Later(Only5, "DISCONNECT with a Reason String with U+0000", "MQTT-1.5.4-2", Malformed, "E0", "00", Properties("1F 00 01 00")),
        .. Later(Only5, "DISCONNECT with a User Property without value", "3.14.2.2.4", Malformed, "E0", "00", Properties("26", Text("a"))),
        .. Later(Only5, "DISCONNECT with an unknown property", "2.2.2.2", Malformed, "E0", "00", Properties("30 00")),
    ];

    public static IEnumerable<MalformedPacket> Ping() =>
    [
        .. "C1 C2 C4 C8 CF".Split(' ').SelectMany(first => Later(
            Every, $"PINGREQ with the first byte 0x{first}", "MQTT-2.1.3-1", Malformed, first)),
        .. Later(Every, "PINGREQ with a body", "3.12.1", Malformed, "C0", "00"),
        .. Later(Every, "PINGREQ with a packet id", "3.12.1", Malformed, "C0", "00 01"),
    ];

    /// <summary>A server without enhanced authentication may refuse any AUTH with 0x82 before it looks at it [MQTT-4.12.0-6].</summary>
    public static IEnumerable<MalformedPacket> Auth() =>
    [
        .. "F1 F2 F4 F8 FF".Split(' ').SelectMany(first => Later(
            Only5, $"AUTH with the first byte 0x{first}", "MQTT-3.15.1-1", Malformed, first)),
        .. "01 04 17 1A 80 8C FF".Split(' ').SelectMany(reason => Later(
            Only5, $"AUTH with reason code 0x{reason}", "MQTT-3.15.2-1", Malformed, "F0", reason, Properties("15", Text("m")))),
        .. Later(Only5, "AUTH without property length", "3.15.2.2.1", Malformed, "F0", "18"),
        .. Later(Only5, "AUTH with properties longer than the packet", "3.15.2.2.1", Malformed, "F0", "18 09 15"),
        .. Later(Only5, "AUTH with bytes after the properties", "3.15.3", Malformed, "F0", "18", Properties("15", Text("m")), "00"),
        .. Later(Only5, "AUTH to continue without Authentication Method", "3.15.2.2.2", ProtocolError, "F0", "18 00"),
        .. Later(Only5, "AUTH again without Authentication Method", "3.15.2.2.2", ProtocolError, "F0", "19", Properties("1F", Text("r"))),
        .. Later(Only5, "AUTH with Authentication Data and no method", "3.15.2.2.2", ProtocolError, "F0", "18", Properties("16", Text("d"))),
        .. Later(Only5, "AUTH with an ill-formed Authentication Method", "MQTT-1.5.4-1", Malformed, "F0", "18", Properties("15", Binary("FF"))),
        .. Later(Only5, "AUTH with an unknown property", "2.2.2.2", Malformed, "F0", "18", Properties("14 00")),
    ];
}
