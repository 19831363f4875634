namespace Broker.Protocol.Tests.Malformed;

/// <summary>
/// Packets that break the specification, by packet type. Where the specification names a reason code, it is that one; where it
/// leaves the choice between 0x81 and 0x82, it is the decoders'.
/// </summary>
public static partial class MalformedCorpus
{
    private const ReasonCode Malformed = ReasonCode.MalformedPacket;
    private const ReasonCode ProtocolError = ReasonCode.ProtocolError;

    private static readonly ProtocolVersion[] Every = [ProtocolVersion.Mqtt31, ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt5];
    private static readonly ProtocolVersion[] Only3 = [ProtocolVersion.Mqtt31, ProtocolVersion.Mqtt311];
    private static readonly ProtocolVersion[] Only311 = [ProtocolVersion.Mqtt311];
    private static readonly ProtocolVersion[] From311 = [ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt5];
    private static readonly ProtocolVersion[] Only5 = [ProtocolVersion.Mqtt5];

    /// <summary>Everything that a server finds while it decodes.</summary>
    public static IEnumerable<MalformedPacket> All =>
        Framing().Concat(Connect()).Concat(ConnectProperties()).Concat(Will()).Concat(Publish()).Concat(Acknowledgements())
            .Concat(Subscribe()).Concat(Unsubscribe()).Concat(Disconnect()).Concat(Ping()).Concat(Auth()).Concat(PropertyPlaces());

    private static IEnumerable<MalformedPacket> Later(
        ProtocolVersion[] versions, string name, string specId, ReasonCode expected, string firstByte, params string[] fields) =>
        versions.Select(version => new MalformedPacket(
            name, specId, version, Hex.Packet(version, firstByte, fields), expected, IsFirstPacket: false));

    /// <summary>Bytes that are no packet with a correct length.</summary>
    private static IEnumerable<MalformedPacket> Raw(
        ProtocolVersion[] versions, string name, string specId, ReasonCode expected, string hex) =>
        versions.Select(version => new MalformedPacket(name, specId, version, hex, expected, IsFirstPacket: false));
}
