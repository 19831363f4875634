using Broker.Tests.T13_Interop;

namespace Broker.Tests.T16_Startup;

/// <summary>Started with next to nothing said, as by who tries it for the first time.</summary>
public sealed class PlainStartTests
{
    [OwnFact]
    public async Task Data_folder_is_data_in_the_working_directory_unless_told_otherwise()
    {
        using var folder = new TemporaryFolder();
        await using var broker = new BrokerProcess { Arguments = ["--mqtt", "0", "--http", "0"], WorkingDirectory = folder.Path };

        await broker.StartAsync();

        var data = Path.Combine(folder.Path, "data");
        Assert.Contains($"data   {data}\n", broker.Output.Text, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(data, "broker.db")));
        await using var client = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await client.PingAsync();
    }

    /// <summary>Nothing is built: what is run is the output that the tests were built with.</summary>
    [OwnFact]
    public async Task Project_runs_with_dotnet_run()
    {
        var project = Path.Combine(RepositoryPaths.Root, "src", "Gateway");

        var said = await ExternalProgram.RunAsync(
            "dotnet", "run", "--no-build", "-c", RepositoryPaths.Configuration, "--project", project, "--", "--version");

        Assert.Matches(@"(?m)^broker \d+\.\d+\.\d+", said);
    }
}
