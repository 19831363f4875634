using System.Text.Json;

namespace Broker.Deploy.Tests.Support;

/// <summary>deploy/Dockerfile: its instructions, in order. What it does not understand is an error.</summary>
internal sealed class Dockerfile
{
    private static readonly string[] Known =
        ["ARG", "FROM", "WORKDIR", "COPY", "RUN", "VOLUME", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT"];

    private Dockerfile(IReadOnlyList<(string Word, string Text)> instructions) => Instructions = instructions;

    public IReadOnlyList<(string Word, string Text)> Instructions { get; }

    /// <summary>Those of the image itself: the last stage.</summary>
    public IReadOnlyList<(string Word, string Text)> Image =>
        [.. Instructions.Skip(Instructions.ToList().FindLastIndex(static i => i.Word == "FROM"))];

    /// <summary>The file of this repository.</summary>
    public static Dockerfile Read() => Parse(File.ReadAllLines(Path.Combine(RepositoryPaths.Root, "deploy", "Dockerfile")));

    /// <summary>What a word of the last stage says; it stands there once.</summary>
    public string Only(string word) => Image.Single(i => i.Word == word).Text;

    /// <summary>The command of ENTRYPOINT, in its form without a shell.</summary>
    public string[] EntryPoint => Command(Only("ENTRYPOINT"));

    /// <summary>The command of HEALTHCHECK.</summary>
    public string[] HealthCheck => Command(Only("HEALTHCHECK").Split("CMD", 2)[1]);

    /// <summary>Variables of ENV.</summary>
    public IReadOnlyDictionary<string, string> Environment => Image.Where(static i => i.Word == "ENV")
        .SelectMany(static i => i.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(static pair => pair.Split('=', 2))
        .ToDictionary(static pair => pair[0], static pair => pair[1]);

    private static string[] Command(string json) => JsonSerializer.Deserialize<string[]>(json)!;

    private static Dockerfile Parse(IEnumerable<string> lines)
    {
        var instructions = new List<(string, string)>();
        var open = "";
        foreach (var line in lines.Select(static l => l.Trim()).Where(static l => l.Length > 0 && !l.StartsWith('#')))
        {
            open += line;
            if (open.EndsWith('\\'))
            {
                open = open[..^1];
                continue;
            }

            var parts = open.Split(' ', 2, StringSplitOptions.TrimEntries);
            instructions.Add(Known.Contains(parts[0]) ? (parts[0], parts[1]) : throw new FormatException($"'{open}' is not understood"));
            open = "";
        }

        return new Dockerfile(instructions);
    }
}
