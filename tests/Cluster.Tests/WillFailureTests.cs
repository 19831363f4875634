namespace Broker.Cluster.Tests;

/// <summary>Wills of clients whose silo dies.</summary>
public sealed class WillFailureTests(ITestOutputHelper output) : ClusterTest(output)
{
    private static readonly ProtocolVersion[] Versions = [ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt5];

    [Fact]
    public async Task Wills_of_a_killed_silo_are_published_once_but_for_clients_that_are_back_elsewhere_in_time()
    {
        await using var wills = await WillListener.StartAsync(Cluster, new Random(Seed));
        var clients = new List<ScriptedClient>();
        try
        {
            foreach (var version in Versions)
            {
                foreach (var name in new[] { "clean", "durable", "back" })
                {
                    clients.Add(await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt, Mortal(version, name)));
                }
            }

            await Cluster.KillAsync(0);

            // Within the grace that Wills have after the death of their silo (Session:WillGraceAfterRestart, 5 s from its discovery).
            var back = await Task.WhenAll(Versions.Select(
                version => ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt, Mortal(version, "back"))));
            clients.AddRange(back);
            Assert.All(back, static client => Assert.True(client.ConnAck.SessionPresent));

            await Cluster.StartAsync(0);
            await wills.ExpectAsync(["clean Mqtt311", "clean Mqtt5", "durable Mqtt311", "durable Mqtt5"]);
        }
        finally
        {
            await Task.WhenAll(clients.Select(static client => client.DisposeAsync().AsTask()));
        }
    }

    private static ConnectOptions Mortal(ProtocolVersion version, string name)
    {
        var options = name == "clean" ? new ConnectOptions(version) { ClientId = $"{name} {version}" } : ConnectOptions.Durable(version, $"{name} {version}");
        return options with { Will = new Will("wills/gone", $"{name} {version}", qos: 1) };
    }
}
