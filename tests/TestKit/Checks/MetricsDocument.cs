using Broker.TestKit.Servers;

namespace Broker.TestKit.Checks;

/// <summary>The table of docs/metrics.md.</summary>
public static class MetricsDocument
{
    // Six, and nothing before the first and after the last bar.
    private const int Columns = 8;

    /// <summary>Its rows: name at <c>/metrics</c>, type, and whether only a silo of a cluster has it.</summary>
    public static IReadOnlyList<(string Name, string Type, bool IsOfCluster)> Rows { get; } =
    [
        .. from line in File.ReadLines(Path.Combine(RepositoryPaths.Root, "docs", "metrics.md"))
           where line.StartsWith("| `", StringComparison.Ordinal)
           let cells = line.Split('|', StringSplitOptions.TrimEntries)
           where cells.Length == Columns
           select (cells[2].Trim('`'), cells[3], cells[4] == "cluster"),
    ];

    /// <summary>Names with types as the document has them, in order.</summary>
    public static IEnumerable<string> Expected(bool isCluster) =>
        Rows.Where(row => isCluster || !row.IsOfCluster).Select(static row => $"{row.Name} {row.Type}").Order(StringComparer.Ordinal);

    /// <summary>The same of a page.</summary>
    public static IEnumerable<string> Actual(PrometheusText page) =>
        page.Types.Select(static type => $"{type.Key} {type.Value}").Order(StringComparer.Ordinal);
}
