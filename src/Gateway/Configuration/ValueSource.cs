namespace Broker.Gateway.Configuration;

/// <summary>A place where configuration is given, and how it writes keys.</summary>
/// <param name="Place">File name; empty for command line and environment, whose keys speak for themselves.</param>
/// <param name="Prefix">Stands before every key.</param>
/// <param name="Separator">Stands between the parts of a key.</param>
internal sealed record ValueSource(string Place, string Prefix, string Separator)
{
    public static ValueSource CommandLine { get; } = new("", "--", ":");

    public static ValueSource Environment { get; } = new("", "", "__");

    public static ValueSource File(string path) => new(path, "", ":");

    /// <summary>A key in this place's form.</summary>
    public string Write(string key) =>
        (Place.Length == 0 ? "" : Place + ": ") + Prefix + key.Replace(":", Separator, StringComparison.Ordinal);

    /// <summary>A key as messages show it: as it was written, and as the documents name it when that differs.</summary>
    public string Show(string written, string key) => Separator == ":" ? written : $"{written} ({key})";
}
