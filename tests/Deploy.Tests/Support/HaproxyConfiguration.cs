namespace Broker.Deploy.Tests.Support;

/// <summary>deploy/haproxy.cfg, as lines by section.</summary>
internal sealed class HaproxyConfiguration
{
    private static readonly string[] Sections = ["global", "defaults", "frontend", "backend"];

    private readonly List<(string Section, string[] Words)> _lines = [];

    /// <summary>The file.</summary>
    public static string File { get; } = Path.Combine(RepositoryPaths.Root, "deploy", "haproxy.cfg");

    /// <summary>Its servers: name, host and port.</summary>
    public IEnumerable<(string Name, string Host, int Port)> Servers => _lines.Where(static line => line.Words[0] == "server")
        .Select(static line => (line.Words[1], line.Words[2].Split(':')[0], int.Parse(line.Words[2].Split(':')[1], System.Globalization.CultureInfo.InvariantCulture)));

    public static HaproxyConfiguration Read()
    {
        var configuration = new HaproxyConfiguration();
        var section = "";
        foreach (var line in System.IO.File.ReadLines(File).Select(static l => l.Split('#')[0].Trim()).Where(static l => l.Length > 0))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (Sections.Contains(words[0]))
            {
                section = line;
            }
            else
            {
                configuration._lines.Add((section, words));
            }
        }

        return configuration;
    }

    /// <summary>The lines of a section that begin with these words, with what follows them.</summary>
    public IEnumerable<string> Values(string section, string beginning) => _lines
        .Where(line => line.Section == section).Select(static line => string.Join(' ', line.Words))
        .Where(line => line.StartsWith(beginning + " ", StringComparison.Ordinal)).Select(line => line[(beginning.Length + 1)..]);
}
