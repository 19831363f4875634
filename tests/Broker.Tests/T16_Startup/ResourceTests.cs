using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;

namespace Broker.Tests.T16_Startup;

/// <summary>What the broker needs and does not have, or somebody else has: ports, addresses, the data folder and what is in it.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ResourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [OwnTheory]
    [InlineData("--mqtt")]
    [InlineData("--http")]
    public async Task Port_in_use_is_refused_with_its_number(string option)
    {
        using var occupant = new TcpListener(IPAddress.Any, 0);
        occupant.Start();
        var port = ((IPEndPoint)occupant.LocalEndpoint).Port;
        var other = option == "--mqtt" ? "--http" : "--mqtt";

        var run = await BrokerCommand.RunAsync(null, "--data", _folder.Path, option, $"{port}", other, "0");

        run.AssertRefused($"{port}");
    }

    [OwnFact]
    public async Task Data_folder_below_a_file_is_refused_with_its_path()
    {
        var file = Path.Combine(_folder.Path, "file");
        await File.WriteAllTextAsync(file, "");

        var run = await BrokerCommand.RunAsync(null, "--data", Path.Combine(file, "data"), "--mqtt", "0", "--http", "0");

        run.AssertRefused(file);
    }

    [UnprivilegedFact]
    public async Task Data_folder_that_may_not_be_written_is_refused_with_its_path()
    {
        var parent = Directory.CreateDirectory(
            Path.Combine(_folder.Path, "closed"), UnixFileMode.UserRead | UnixFileMode.UserExecute).FullName;
        var data = Path.Combine(parent, "data");

        var run = await BrokerCommand.RunWithoutRightsAsync("--data", data, "--mqtt", "0", "--http", "0");

        run.AssertRefused(data, "cannot be written", "denied");
    }

    [UnprivilegedFact]
    public async Task Data_folder_whose_database_may_not_be_written_is_refused_with_its_path()
    {
        var database = Path.Combine(_folder.Path, "broker.db");
        await File.WriteAllBytesAsync(database, []);
        File.SetUnixFileMode(database, UnixFileMode.UserRead);

        var run = await BrokerCommand.RunWithoutRightsAsync("--data", _folder.Path, "--mqtt", "0", "--http", "0");

        run.AssertRefused(database);
    }

    [OwnFact]
    public async Task Users_file_with_a_wrong_line_is_refused_with_its_path_and_the_line()
    {
        var users = Path.Combine(_folder.Path, "users");
        await File.WriteAllTextAsync(users, "# ours\ngarbage\n");

        var run = await BrokerCommand.RunAsync(null, "--data", _folder.Path, "--mqtt", "0", "--http", "0");

        run.AssertRefused(users, "line 2 ", "user add");
    }

    [UnprivilegedFact]
    public async Task Users_file_that_may_not_be_read_is_refused_with_its_path()
    {
        var users = Path.Combine(_folder.Path, "users");
        await File.WriteAllTextAsync(users, "");
        File.SetUnixFileMode(users, UnixFileMode.None);

        var run = await BrokerCommand.RunWithoutRightsAsync("--data", _folder.Path, "--mqtt", "0", "--http", "0");

        run.AssertRefused(users, "not allowed");
    }

    // 203.0.113.0/24 is for documents (RFC 5737): no machine has an address of it.
    [OwnTheory]
    [InlineData("Broker:Http:Address")]
    [InlineData("Broker:Listeners:Mqtt:0:Address")]
    public async Task Address_that_the_machine_does_not_have_is_refused_with_its_key(string key)
    {
        var run = await BrokerCommand.RunAsync(null, "--data", _folder.Path, "--mqtt", "0", "--http", "0", $"--{key}=203.0.113.7");

        run.AssertRefused(key, "203.0.113.7");
    }

    [LowPortFact]
    public async Task Port_that_needs_rights_is_refused_with_its_number()
    {
        var run = await BrokerCommand.RunWithoutRightsAsync("--data", _folder.Path, "--mqtt", $"{LowPortFactAttribute.Port}", "--http", "0");

        run.AssertRefused($"the MQTT port {LowPortFactAttribute.Port} ", "needs rights");
    }

    [OwnFact]
    public async Task Data_folder_held_by_another_broker_is_refused_and_the_other_goes_on()
    {
        await using var first = new BrokerProcess();
        await first.StartAsync();

        var run = await BrokerCommand.RunAsync(null, "--data", first.DataDirectory, "--mqtt", "0", "--http", "0");

        run.AssertRefused(first.DataDirectory);
        await using var client = await ScriptedClient.ConnectAsync(first.Mqtt);
        await client.PingAsync();
    }

    [OwnFact]
    public async Task Data_folder_is_created_and_free_again_after_a_kill()
    {
        await using var broker = new BrokerProcess();
        Assert.False(Directory.Exists(broker.DataDirectory));

        await broker.StartAsync();

        Assert.True(Directory.Exists(broker.DataDirectory));
        await broker.RestartAsync();
    }

    [OwnFact]
    public async Task Banner_says_version_node_store_data_and_listeners_before_it_says_ready()
    {
        await using var broker = new BrokerProcess();

        await broker.StartAsync();

        var version = FileVersionInfo.GetVersionInfo(broker.Program).ProductVersion!.Split('+')[0];
        Assert.Matches(
            $"""
            (?m)^broker {Regex.Escape(version)}, node {Regex.Escape(Environment.MachineName)}, process {broker.ProcessId}
            store  sqlite {Regex.Escape(Path.Combine(broker.DataDirectory, "broker.db"))}
            data   {Regex.Escape(broker.DataDirectory)}
            mqtt   mqtt://\S+:{broker.Mqtt.Port} \(every address\)
            http   http://127\.0\.0\.1:{broker.Http.Port}
            ready in \d+ ms$
            """,
            broker.Output.Text);
        using var http = new HttpClient { BaseAddress = broker.Http };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);
    }

    public void Dispose() => _folder.Dispose();
}
