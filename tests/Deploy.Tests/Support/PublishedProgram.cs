using System.Diagnostics;
using Broker.Grains.Tests.Storage;

namespace Broker.Deploy.Tests.Support;

/// <summary>The program as <c>dotnet publish</c> lays it out, made once from the build that the tests belong to.</summary>
public sealed class PublishedProgram : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>The folder that becomes <c>/app</c>.</summary>
    public string Path => System.IO.Path.Combine(_folder.Path, "app");

    public async Task InitializeAsync()
    {
        // Without the ahead-of-time compilation, which changes no file's place and takes a minute.
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = RepositoryPaths.Root, RedirectStandardOutput = true }.With(
            "publish", "src/Gateway/Gateway.csproj", "--configuration", RepositoryPaths.Configuration, "--no-build", "--no-restore", "--nologo",
            "--output", Path, "-p:PublishReadyToRun=false");
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, output);

        // The folder of a test is its owner's only; a user of the image reads it.
        using var chmod = Process.Start("chmod", ["755", _folder.Path]);
        await chmod.WaitForExitAsync();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();
}
