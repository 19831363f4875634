using System.Globalization;

namespace Broker.Tests.T12_BadInput;

/// <summary>One line of <c>packets.txt</c>.</summary>
public sealed record BadPacket(string Name, ProtocolVersion Version, bool IsFirst, IReadOnlyList<ReasonCode> Reasons, byte[] Bytes)
{
    public static IEnumerable<BadPacket> All { get; } =
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "packets.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .SelectMany(Parse)];

    private static IEnumerable<BadPacket> Parse(string line)
    {
        var fields = line.Split('|', StringSplitOptions.TrimEntries);
        ProtocolVersion[] versions = fields[0] switch
        {
            "any" => [ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt5],
            "4" => [ProtocolVersion.Mqtt311],
            _ => [ProtocolVersion.Mqtt5],
        };
        var reasons = fields[2].Split('/').Select(code => (ReasonCode)byte.Parse(code, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        var bytes = Convert.FromHexString(fields[4].Replace(" ", "", StringComparison.Ordinal));
        return versions.Select(version =>
            new BadPacket($"{fields[3]} ({version})", version, fields[1] == "first", [.. reasons], bytes));
    }
}
