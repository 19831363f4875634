using System.Globalization;
using System.Text.RegularExpressions;

namespace Broker.TestKit.Checks;

/// <summary>What a <c>/metrics</c> page says. Reading it is strict: a page that is not in the text format of Prometheus is refused.</summary>
public sealed partial class PrometheusText
{
    private readonly Dictionary<string, string> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    /// <exception cref="FormatException">A line is not what it should be.</exception>
    public PrometheusText(string page)
    {
        if (!page.EndsWith('\n'))
        {
            throw new FormatException("the last line has no end");
        }

        string? family = null;
        foreach (var line in page[..^1].Split('\n'))
        {
            if (Type().Match(line) is { Success: true } type)
            {
                family = type.Groups[1].Value;
                _types.Add(family, type.Groups[2].Value);
            }
            else if (Sample().Match(line) is { Success: true } sample && IsOf(sample.Groups[1].Value, family))
            {
                _samples.Add(sample.Groups[1].Value + sample.Groups[2].Value, Number(sample.Groups[3].Value));
            }
            else if (!Help().IsMatch(line))
            {
                throw new FormatException($"'{line}' after the type of '{family}'");
            }
        }
    }

    /// <summary>Names of all metrics with their types.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>All series: name with labels.</summary>
    public IEnumerable<string> Series => _samples.Keys;

    /// <summary>Value of a series, <c>name{label="value"}</c>.</summary>
    public double this[string series] => _samples[series];

    /// <summary>Sum over all series of a metric.</summary>
    public double Sum(string name) =>
        _samples.Where(sample => sample.Key == name || sample.Key.StartsWith(name + "{", StringComparison.Ordinal)).Sum(static sample => sample.Value);

    private static double Number(string text) =>
        text == "+Inf" ? double.PositiveInfinity : double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    private bool IsOf(string name, string? family) => family is not null && (name == family ||
        (_types[family] == "histogram" && name.StartsWith(family, StringComparison.Ordinal) && name[family.Length..] is "_bucket" or "_sum" or "_count"));

    [GeneratedRegex("^# HELP [a-z_]+ [^\n]*$")]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE ([a-z_]+) (counter|gauge|histogram)$")]
    private static partial Regex Type();

    [GeneratedRegex("""^([a-z_]+)(\{[a-z_]+="(?:[^"\\]|\\.)*"(?:,[a-z_]+="(?:[^"\\]|\\.)*")*\})? (\S+)$""")]
    private static partial Regex Sample();
}
