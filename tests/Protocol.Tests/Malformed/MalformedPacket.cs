namespace Broker.Protocol.Tests.Malformed;

/// <summary>Bytes from a client that break a rule, and what a server answers in MQTT 5.0.</summary>
/// <param name="Name">What is wrong; unique together with the version.</param>
/// <param name="SpecId">The broken rule, or a section of the specification.</param>
/// <param name="Version">Version of the connection that they are sent on; for a first packet the version it claims.</param>
/// <param name="Hex">The bytes, in pairs of digits separated by blanks.</param>
/// <param name="Expected">Reason code of the answer; a 3.x client is told nothing, its connection ends.</param>
/// <param name="IsFirstPacket">Sent instead of CONNECT.</param>
public sealed record MalformedPacket(
    string Name, string SpecId, ProtocolVersion Version, string Hex, ReasonCode Expected, bool IsFirstPacket)
{
    public byte[] ToBytes() => Convert.FromHexString(Hex.Replace(" ", "", StringComparison.Ordinal));

    public override string ToString() => $"{Name}, {Version} [{SpecId}]";
}
