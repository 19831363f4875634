using static Broker.Protocol.Tests.Malformed.Hex;

namespace Broker.Protocol.Tests.Malformed;

/// <summary>Every property in every packet that does not have it, and twice in every packet that has it once (table 2-4).</summary>
public static partial class MalformedCorpus
{
    // Identifier and a valid value, then the packets of a client that have it.
    private static (string Name, string Bytes, string Packets)[] Rows =>
    [
        ("Payload Format Indicator", "01 01", "PUBLISH Will"),
        ("Message Expiry Interval", "02 00 00 00 0A", "PUBLISH Will"),
        ("Content Type", "03 00 01 61", "PUBLISH Will"),
        ("Response Topic", "08 00 01 61", "PUBLISH Will"),
        ("Correlation Data", "09 00 01 61", "PUBLISH Will"),
        ("Subscription Identifier", "0B 01", "SUBSCRIBE"),
        ("Session Expiry Interval", "11 00 00 00 00", "CONNECT DISCONNECT"),
        ("Assigned Client Identifier", "12 00 01 61", ""),
        ("Server Keep Alive", "13 00 0A", ""),
        ("Authentication Method", "15 00 01 61", "CONNECT AUTH"),
        ("Authentication Data", "16 00 01 61", "CONNECT AUTH"),
        ("Request Problem Information", "17 01", "CONNECT"),
        ("Will Delay Interval", "18 00 00 00 0A", "Will"),
        ("Request Response Information", "19 01", "CONNECT"),
        ("Response Information", "1A 00 01 61", ""),
        ("Server Reference", "1C 00 01 61", "DISCONNECT"),
        ("Reason String", "1F 00 01 61", "PUBACK PUBREC PUBREL PUBCOMP DISCONNECT AUTH"),
        ("Receive Maximum", "21 00 0A", "CONNECT"),
        ("Topic Alias Maximum", "22 00 0A", "CONNECT"),
        ("Topic Alias", "23 00 01", "PUBLISH"),
        ("Maximum QoS", "24 01", ""),
        ("Retain Available", "25 01", ""),
        ("Maximum Packet Size", "27 00 00 10 00", "CONNECT"),
        ("Wildcard Subscription Available", "28 01", ""),
        ("Subscription Identifier Available", "29 01", ""),
        ("Shared Subscription Available", "2A 01", ""),
    ];

    private static (string Name, string First, string Before, string After)[] Places =>
    [
        ("CONNECT", "10", Text("MQTT") + " 05 02 00 00", Id),
        ("Will", "10", Text("MQTT") + " 05 06 00 00 00 " + Id, Text("w") + Text("m")),
        ("PUBLISH", "30", Text("a"), "6D"),
        ("PUBACK", "40", "00 01 00", ""),
        ("PUBREC", "50", "00 01 00", ""),
        ("PUBREL", "62", "00 01 00", ""),
        ("PUBCOMP", "70", "00 01 00", ""),
        ("SUBSCRIBE", "82", "00 01", Text("a") + "00"),
        ("UNSUBSCRIBE", "A2", "00 01", Text("a")),
        ("DISCONNECT", "E0", "00", ""),
        ("AUTH", "F0", "18", ""),
    ];

    public static IEnumerable<MalformedPacket> PropertyPlaces() =>
        from place in Places
        from row in Rows
        let isPlaced = row.Packets.Split(' ').Contains(place.Name)
        // Its own case: the section on PUBLISH calls it a Protocol Error.
        where isPlaced || place.Name != "PUBLISH" || row.Name != "Subscription Identifier"
        from packet in Later(
            Only5,
            isPlaced ? $"{place.Name} with {row.Name} twice" : $"{place.Name} with {row.Name}, which it does not have",
            "2.2.2.2",
            isPlaced ? ProtocolError : Malformed,
            place.First,
            place.Before,
            Properties(isPlaced ? [row.Bytes, row.Bytes] : [row.Bytes]),
            place.After)
        select packet with { IsFirstPacket = place.First == "10" };
}
