using static Broker.Protocol.Tests.Malformed.Hex;

namespace Broker.Protocol.Tests;

/// <summary>Valid packets of every type and version, short and with everything.</summary>
internal static class ValidPackets
{
    private static readonly ProtocolVersion[] Versions = Enum.GetValues<ProtocolVersion>();

    private static readonly string User = "26" + Text("name") + Text("värde");

    private static readonly string Reason = "1F" + Text("reason");

    public static IReadOnlyList<(ProtocolVersion Version, byte[] Bytes)> All { get; } =
        [.. Versions.SelectMany(Common), .. Mqtt5().Select(hex => (ProtocolVersion.Mqtt5, Bytes(hex)))];

    private static IEnumerable<(ProtocolVersion, byte[])> Common(ProtocolVersion version)
    {
        var protocol = version == ProtocolVersion.Mqtt31
            ? Text("MQIsdp") + "03"
            : Text("MQTT") + (version == ProtocolVersion.Mqtt5 ? "05" : "04");
        string Make(string first, params string[] fields) => Packet(version, first, fields);
        return new[]
        {
            Make("10", protocol, "02 00 3C", NoProperties, Text("id")),
            Make("10", protocol, "EE 00 3C", NoProperties, Text("id"), NoProperties, Text("w/t"), Text("m"), Text("user"), Text("secret")),
            Make("30", Text("a/b"), NoProperties, "6D 6D 6D"),
            Make("33", Text("a/b/c"), "00 01", NoProperties),
            Make("3C", Text("a"), "FF FF", NoProperties, string.Concat(Enumerable.Repeat("55", 200))),
            Make("40", "00 01"), Make("50", "00 01"), Make("62", "00 01"), Make("70", "00 01"),
            Make("82", "00 01", NoProperties, Text("a/+/#"), "01", Text("+"), "02"),
            Make("A2", "00 01", NoProperties, Text("a/+/#"), Text("b")),
            Make("C0"), Make("D0"), Make("E0"),
            Make("20", "01 00", NoProperties), Make("90", "00 01", NoProperties, "00 01 02 80"),
            Make("B0", "00 01", NoProperties, version == ProtocolVersion.Mqtt5 ? "00 11" : ""),
        }.Select(hex => (version, Bytes(hex)));
    }

    private static IEnumerable<string> Mqtt5()
    {
        const ProtocolVersion V = ProtocolVersion.Mqtt5;
        var content = "01 01 02 00 00 00 0A 03" + Text("text/plain") + "08" + Text("re/ply") + "09" + Binary("00 FF") + User + User;
        yield return Packet(V, "10", Text("MQTT"), "05 C6 00 3C",
            Properties("11 00 00 00 0A 21 00 0A 27 00 01 00 00 22 00 0A 19 01 17 00 15", Text("m"), "16", Binary("00"), User, User),
            Text("id"), Properties("18 00 00 00 05", content), Text("w"), Text("m"), Text("u"), Text("p"));
        yield return Packet(V, "20", "00 00", Properties(
            "11 00 00 00 0A 21 00 0A 24 01 25 01 27 00 01 00 00 12", Text("id"), "22 00 0A 28 01 29 01 2A 00 13 00 3C", Reason, User,
            "1A", Text("i"), "1C", Text("s"), "15", Text("m"), "16", Binary("00")));
        yield return Packet(V, "32", Text("a/b"), "00 07", Properties("23 00 01", content), "6D");
        yield return Packet(V, "30", Text(""), Properties("23 00 01"), "6D");
        foreach (var first in "40 50 62 70".Split(' '))
        {
            yield return Packet(V, first, "00 01 00");
            yield return Packet(V, first, "00 01 00", Properties(Reason, User));
        }

        yield return Packet(V, "82", "00 01", Properties("0B FF 7F", User), Text("$share/g/a"), "01", Text("a/#"), "2E");
        yield return Packet(V, "90", "00 01", Properties(Reason, User), "00 9E");
        yield return Packet(V, "A2", "00 01", Properties(User), Text("a"), Text("#"));
        yield return Packet(V, "B0", "00 01", Properties(Reason, User), "00 11");
        yield return Packet(V, "E0", "04");
        yield return Packet(V, "E0", "04", Properties("11 00 00 00 0A", Reason, User, "1C", Text("s")));
        yield return Packet(V, "F0");
        yield return Packet(V, "F0", "18", Properties("15", Text("m"), "16", Binary("00 01"), Reason, User));
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
