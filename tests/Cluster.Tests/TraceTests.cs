using System.Net;

namespace Broker.Cluster.Tests;

/// <summary>What an administrator of a cluster traces.</summary>
public sealed class TraceTests(ITestOutputHelper output) : ClusterTest(output, silos: 2)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Trace_started_on_one_silo_follows_a_client_to_every_silo_also_one_that_joins_and_is_read_on_any()
    {
        using var admin = new AdminClient(Cluster.Silos[0].Http);
        var answer = await admin.PostAsync("/api/v1/traces", """{ "name": "t", "client": "meter" }""", HttpStatusCode.Created);
        Assert.Equal(2, answer.GetProperty("traces").GetArrayLength());

        await Cluster.StopAsync(1);
        await Cluster.StartAsync(1);
        foreach (var silo in Cluster.Silos)
        {
            await using var client = await ScriptedClient.ConnectAsync(silo.Mqtt, new ConnectOptions { ClientId = "meter" });
            await client.PingAsync();
            await client.DisconnectAsync();
        }

        using var http = new HttpClient();
        var text = "";
        await Eventually.TrueAsync(
            async () =>
            {
                text = await http.GetStringAsync(new Uri(Cluster.Silos[1].Http, "/api/v1/traces/t"));
                return text.Split("-- CLOSED").Length == 3;
            },
            Limit,
            () => $"what both silos have traced: {text}\n{Cluster.Log}");
        Assert.Equal(3, text.Split("# silo ").Length);
        Assert.Equal(3, text.Split("in CONNECT").Length);
        Assert.True(text.Contains("# ended: the broker has stopped\n\n# trace of client \"meter\"", StringComparison.Ordinal), text + Cluster.Log);

        using var other = new AdminClient(Cluster.Silos[1].Http);
        Assert.Equal(HttpStatusCode.OK, await other.DeleteAsync("/api/v1/traces/t"));
        Assert.Empty((await admin.GetAsync("/api/v1/traces")).GetProperty("traces").EnumerateArray());
        Assert.All(Cluster.Silos, static silo =>
            Assert.Empty(Directory.GetFiles(Path.Combine(silo.DataDirectory, "traces"), "*.log", SearchOption.AllDirectories)));
    }
}
