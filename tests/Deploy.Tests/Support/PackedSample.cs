using System.Diagnostics;
using System.Net;
using Broker.Grains.Tests.Storage;

namespace Broker.Deploy.Tests.Support;

/// <summary>
/// samples/Embedded in a folder of its own, built against the packages of this build as somebody would who has nothing else. What else it
/// needs is taken from the packages that this build has restored; nothing of the broker gets among them.
/// </summary>
public sealed class PackedSample : BrokerServer
{
    private readonly string _output;

    /// <summary>Nothing is built yet.</summary>
    public PackedSample()
    {
        Packages = Path.Combine(Folder, ".build", "packages");
        _output = Path.Combine(Folder, "out");
    }

    /// <summary>Where the packages are: where the sample's NuGet.config looks for them.</summary>
    public string Packages { get; }

    /// <summary>HTTP of the application itself.</summary>
    public Uri Application { get; private set; } = null!;

    /// <summary>Packs and builds.</summary>
    public async Task BuildAsync()
    {
        foreach (var project in (string[])["Protocol", "Grains.Interfaces", "Grains", "Gateway"])
        {
            await RunAsync(
                RepositoryPaths.Root, "pack", $"src/{project}/{project}.csproj", "--configuration", RepositoryPaths.Configuration, "--no-build",
                "--no-restore", "--nologo", "--output", Packages, "-warnaserror");
        }

        var source = Path.Combine(RepositoryPaths.Root, "samples");
        var copy = Directory.CreateDirectory(Path.Combine(Folder, "samples", "Embedded")).FullName;
        foreach (var file in Directory.GetFiles(Path.Combine(source, "Embedded")).Concat(Directory.GetFiles(source)))
        {
            File.Copy(file, Path.Combine(Path.GetDirectoryName(file) == source ? Path.GetDirectoryName(copy)! : copy, Path.GetFileName(file)));
        }

        var known = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        await RunAsync(
            copy, "build", "--configuration", "Release", "--nologo", "--output", _output, "-warnaserror", $"-p:RestoreFallbackFolders={known}",
            $"-p:RestorePackagesPath={Path.Combine(Folder, "restored")}");
    }

    /// <inheritdoc />
    protected override ProcessStartInfo Command()
    {
        var command = new ProcessStartInfo("dotnet") { WorkingDirectory = Folder }.With(Path.Combine(_output, "Embedded.dll"));
        command.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        command.Environment["Broker__Data__Directory"] = DataDirectory;
        command.Environment["Broker__Listeners__Mqtt__0__Address"] = "127.0.0.1";
        command.Environment["Broker__Listeners__Mqtt__0__Port"] = Port(Mqtt);
        command.Environment["Broker__Http__Port"] = "0";
        return command;
    }

    /// <inheritdoc />
    protected override async Task ReadyAsync()
    {
        var broker = Output.LineAsync(static line => line.Contains("Broker ready: MQTT at ", StringComparison.Ordinal));
        var application = Output.LineAsync(static line => line.Contains("Now listening on: ", StringComparison.Ordinal));
        var echo = Output.LineAsync(static line => line.Contains("Subscribed; resumed: ", StringComparison.Ordinal));
        Mqtt = IPEndPoint.Parse((await broker).Split("MQTT at ")[1].Split(',')[0]);
        Application = new Uri((await application).Split("listening on: ")[1]);
        await echo;
    }

    private static string Port(IPEndPoint? former) => (former?.Port ?? 0).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static async Task RunAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = folder, RedirectStandardOutput = true }.With(arguments);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, output);
    }
}
