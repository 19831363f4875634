namespace Broker.Protocol.Tests.Malformed;

/// <summary>Fixed header: Remaining Length.</summary>
public static partial class MalformedCorpus
{
    public static IEnumerable<MalformedPacket> Framing() =>
    [
        .. Raw(Every, "PUBLISH with a Remaining Length of five bytes", "2.1.4", Malformed, "30 FF FF FF FF 01"),
        .. Raw(Every, "PUBLISH with a Remaining Length whose fourth byte continues", "2.1.4", Malformed, "30 80 80 80 80"),
        .. Raw(Every, "PINGREQ with a Remaining Length of 0 in two bytes", "MQTT-1.5.5-1", Malformed, "C0 80 00"),
        .. Raw(Every, "PINGREQ with a Remaining Length of 0 in three bytes", "MQTT-1.5.5-1", Malformed, "C0 80 80 00"),
        .. Raw(Every, "PINGREQ with a Remaining Length of 0 in four bytes", "MQTT-1.5.5-1", Malformed, "C0 80 80 80 00"),
        .. Raw(Every, "PUBACK with a Remaining Length of 2 in two bytes", "MQTT-1.5.5-1", Malformed, "40 82 00 00 01"),
        .. Raw(Every, "SUBSCRIBE with a Remaining Length of five bytes", "2.1.4", Malformed, "82 FF FF FF FF 7F"),
        .. Raw(Every, "PUBLISH of the greatest length", "MQTT-3.2.2-15", ReasonCode.PacketTooLarge, "30 FF FF FF 7F"),
        .. Raw(Every, "SUBSCRIBE of the greatest length", "MQTT-3.2.2-15", ReasonCode.PacketTooLarge, "82 FF FF FF 7F"),
        .. Raw(Every, "UNSUBSCRIBE of the greatest length", "MQTT-3.2.2-15", ReasonCode.PacketTooLarge, "A2 FF FF FF 7F"),
        .. Raw(Every, "PUBACK of the greatest length", "MQTT-3.2.2-15", ReasonCode.PacketTooLarge, "40 FF FF FF 7F"),
        .. First("CONNECT of the greatest length", "3.1.4", ReasonCode.PacketTooLarge, "10 FF FF FF 7F"),
        .. Every.SelectMany(version => First(
            "CONNECT of the greatest length that begins with its version", "MQTT-3.2.2-15", ReasonCode.PacketTooLarge,
            "10 FF FF FF 7F " + Protocol(version), version)),
        .. First("CONNECT with a Remaining Length of five bytes", "2.1.4", Malformed, "10 FF FF FF FF 01"),
        .. First("CONNECT with a Remaining Length not in its shortest form", "MQTT-1.5.5-1", Malformed, "10 8C 00 00 04"),
    ];

    private static IEnumerable<MalformedPacket> First(
        string name, string specId, ReasonCode expected, string hex, ProtocolVersion version = ProtocolVersion.Mqtt311) =>
        Raw([version], name, specId, expected, hex).Select(packet => packet with { IsFirstPacket = true });
}
