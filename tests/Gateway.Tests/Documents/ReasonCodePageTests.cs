using System.Globalization;
using System.Text.RegularExpressions;
using Broker.Protocol;
using Broker.TestKit.Servers;

namespace Broker.Gateway.Tests.Documents;

/// <summary>docs/reason-codes.md has every Reason Code, says honestly which packets carry it, and names tests that exist.</summary>
public sealed partial class ReasonCodePageTests
{
    private static readonly Row[] Rows = [.. Read()];

    [Fact]
    public void Every_reason_code_has_a_row_and_no_row_is_of_another() => Assert.Equal(
        Enum.GetValues<ReasonCode>().Select(code => $"0x{(int)code:X2} {code}"), Rows.Select(row => $"0x{row.Code:X2} {row.Name}"));

    [Fact]
    public void A_code_is_sent_only_in_packets_that_may_carry_it()
    {
        foreach (var row in Rows)
        {
            foreach (var packet in Enum.GetValues<PacketType>().Where(type => PacketName(type).IsMatch(row.Packets)))
            {
                Assert.True(ReasonCodes.IsAllowed((ReasonCode)row.Code, packet), $"0x{row.Code:X2} in {packet}");
            }
        }
    }

    [Fact]
    public void A_code_that_is_sent_has_a_test_and_the_test_exists()
    {
        var tests = Directory.EnumerateFiles(Path.Combine(RepositoryPaths.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(path => Method().Matches(File.ReadAllText(path)).Select(
                match => $"{Path.GetFileNameWithoutExtension(path)}.{match.Groups[1].Value}"))
            .ToHashSet(StringComparer.Ordinal);

        foreach (var row in Rows)
        {
            var named = row.Tests.Split(", ", StringSplitOptions.RemoveEmptyEntries);
            Assert.True(named.Length > 0 || row.Packets == "none", $"0x{row.Code:X2} has no test");
            Assert.All(named, test => Assert.True(tests.Contains(test), $"0x{row.Code:X2}: '{test}'"));
        }
    }

    private static IEnumerable<Row> Read() =>
        from line in File.ReadLines(Path.Combine(RepositoryPaths.Root, "docs", "reason-codes.md"))
        where line.StartsWith("| 0x", StringComparison.Ordinal)
        let cells = line.Split('|').Select(cell => cell.Trim()).ToArray()
        select new Row(
            int.Parse(cells[1].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture), cells[2], cells[3], cells[5]);

    private static Regex PacketName(PacketType type) => new($@"\b{type}\b", RegexOptions.IgnoreCase);

    [GeneratedRegex(@"public (?:async )?(?:Task|void) (\w+)\(")]
    private static partial Regex Method();

    private sealed record Row(int Code, string Name, string Packets, string Tests);
}
