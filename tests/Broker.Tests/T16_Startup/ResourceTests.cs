using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Broker.Tests.T16_Startup;

/// <summary>What the broker needs and somebody else may have: ports and the data folder.</summary>
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
    public async Task Broker_is_ready_within_a_few_seconds_and_says_where_it_listens()
    {
        await using var broker = new BrokerProcess();
        var clock = Stopwatch.StartNew();

        await broker.StartAsync();

        // 2 s is the promise on a free machine; here other tests share it.
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.Matches($@"mqtt://\S+:{broker.Mqtt.Port}\b", broker.Output.Text);
        Assert.Contains(broker.DataDirectory, broker.Output.Text, StringComparison.Ordinal);
        using var http = new HttpClient { BaseAddress = broker.Http };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);
    }

    public void Dispose() => _folder.Dispose();
}
