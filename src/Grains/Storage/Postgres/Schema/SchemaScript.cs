using System.Globalization;

namespace Broker.Grains.Storage.Postgres.Schema;

/// <summary>A file of <c>deploy/sql</c>, which the program carries along.</summary>
/// <param name="File">For the operator who runs it by hand.</param>
/// <param name="Name">Its row in <c>broker_schema</c>.</param>
/// <param name="Version">Raised by every change of the file.</param>
internal sealed record SchemaScript(string File, string Name, int Version, string Text)
{
    private const string ResourcePrefix = "sql/";

    /// <summary>All scripts in the order in which they are run.</summary>
    public static IReadOnlyList<SchemaScript> All { get; } = [.. Load()];

    private static IEnumerable<SchemaScript> Load()
    {
        var assembly = typeof(SchemaScript).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Order(StringComparer.Ordinal))
        {
            if (resource.StartsWith(ResourcePrefix, StringComparison.Ordinal))
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
                yield return Parse(resource[ResourcePrefix.Length..], reader.ReadToEnd());
            }
        }
    }

    // The first line is "-- NAME, version N".
    private static SchemaScript Parse(string file, string text)
    {
        var parts = text[..text.IndexOf('\n', StringComparison.Ordinal)].TrimStart('-', ' ').Split(", version ");
        return parts.Length == 2
            ? new SchemaScript(file, parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture), text)
            : throw new InvalidDataException($"{file} does not begin with its name and version.");
    }
}
