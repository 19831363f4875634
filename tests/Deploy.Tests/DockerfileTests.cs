using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Broker.Deploy.Tests;

/// <summary>What deploy/Dockerfile says fits the repository and the program.</summary>
public sealed partial class DockerfileTests
{
    private static readonly Dockerfile Image = Dockerfile.Read();

    [Fact]
    public void The_user_is_a_number_and_not_root() => Assert.Matches("^[1-9][0-9]*:[1-9][0-9]*$", Image.Only("USER"));

    [Fact]
    public void Data_is_the_only_volume_and_the_embedded_store_is_in_it()
    {
        Assert.Equal("/data", Image.Only("VOLUME"));
        Assert.Equal("/data", KnownSettings.Read(Image.Environment).Data.Directory);
        Assert.Contains(Image.Image, instruction =>
            instruction.Word == "COPY" && instruction.Text.Contains($"--chown={Image.Only("USER")}", StringComparison.Ordinal)
            && instruction.Text.EndsWith(" /data", StringComparison.Ordinal));
    }

    [Fact]
    public void The_ports_are_those_that_the_program_listens_on_and_probes_reach_it()
    {
        var options = KnownSettings.Read(Image.Environment);

        Assert.Equal($"{options.Listeners.Mqtt[0].Port} {options.Http.Port}", Image.Only("EXPOSE"));
        Assert.Equal("*", options.Http.Address);
    }

    [Fact]
    public void Runtime_settings_are_the_programs_and_not_the_images() =>
        Assert.DoesNotContain(Image.Environment.Keys, static name => name.StartsWith("DOTNET_", StringComparison.OrdinalIgnoreCase));

    [Fact]
    public void The_runtime_is_of_the_version_that_the_program_is_built_for()
    {
        var props = XDocument.Load(Path.Combine(RepositoryPaths.Root, "Directory.Build.props"));
        var argument = Image.Instructions.First(static i => i.Word == "ARG").Text;

        Assert.Equal($"DOTNET={props.Descendants("TargetFramework").Single().Value["net".Length..]}", argument);
        Assert.All(
            Image.Instructions.Where(static i => i.Word == "FROM"),
            static from => Assert.Contains(":${DOTNET}", from.Text, StringComparison.Ordinal));
    }

    /// <summary>A project that is added has its file copied before the restore, or the restore fails where nobody looks.</summary>
    [Fact]
    public void Every_project_of_the_program_is_restored_and_every_file_that_is_copied_exists()
    {
        var copied = Image.Instructions.TakeWhile(static i => i.Word != "RUN").Where(static i => i.Word == "COPY")
            .SelectMany(static i => i.Text.Split(' ')[..^1]).ToList();
        var projects = Directory.GetFiles(Path.Combine(RepositoryPaths.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(static path => Path.GetRelativePath(RepositoryPaths.Root, path));

        Assert.Equal(projects.Order(StringComparer.Ordinal), copied.Where(static c => c.EndsWith(".csproj", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.All(
            Image.Instructions.Where(static i => i.Word == "COPY" && !i.Text.StartsWith("--", StringComparison.Ordinal)).SelectMany(static i => i.Text.Split(' ')[..^1]),
            static source => Assert.True(Path.Exists(Path.Combine(RepositoryPaths.Root, source)), source));
    }

    /// <summary>.dockerignore leaves everything out and lets in what is copied.</summary>
    [Fact]
    public void What_is_copied_is_not_ignored()
    {
        var lines = File.ReadAllLines(Path.Combine(RepositoryPaths.Root, ".dockerignore"));
        var let = lines.Where(static line => line.StartsWith('!')).Select(static line => line[1..]).ToList();
        var sources = Image.Instructions.Where(static i => i.Word == "COPY" && !i.Text.StartsWith("--", StringComparison.Ordinal))
            .SelectMany(static i => i.Text.Split(' ')[..^1]);

        Assert.Contains("*", lines);
        Assert.All(sources, source => Assert.Contains(let, entry => source == entry || source.StartsWith(entry + "/", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_health_check_is_a_command_of_the_program_itself()
    {
        Assert.Equal([.. Image.EntryPoint, "health", "live"], Image.HealthCheck);
        Assert.Matches(Interval(), Image.Only("HEALTHCHECK"));
    }

    [GeneratedRegex("^--interval=[0-9]+s --timeout=[0-9]+s --start-period=[0-9]+s --retries=[0-9]+ CMD ")]
    private static partial Regex Interval();
}
