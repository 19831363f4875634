using System.Text.Json;

namespace Broker.Cluster.Tests;

/// <summary>What operators ask of one silo and get of all.</summary>
public sealed class OperationsTests(ITestOutputHelper output, HealthyCluster healthy) : HealthyClusterTest(output, healthy)
{
    private const int Silos = 3;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Any_silo_answers_for_the_losses_of_all_and_a_subscriber_hears_of_all_brokers()
    {
        for (var silo = 0; silo < Silos; silo++)
        {
            // Refused: topics that begin with $ are the brokers'.
            await using var client = await ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt, new ConnectOptions { ClientId = $"loser-{silo}" });
            await client.SendPublishAsync("$SYS/mine", "refused", 1, id: 1);
            Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.PubAck, 1)).Reason);
        }

        for (var silo = 0; silo < Silos; silo++)
        {
            using var admin = new AdminClient(Cluster.Silos[silo].Http);
            JsonElement answer = default;
            await Eventually.TrueAsync(
                async () =>
                {
                    answer = await admin.GetAsync("/api/v1/drops?topic=$SYS/%23");
                    return answer.GetProperty("missing").GetArrayLength() == 0;
                },
                Limit,
                () => $"all silos answer: {answer}\n{Cluster.Log}");
            Assert.Equal(Silos, answer.GetProperty("counts").GetProperty("NotAuthorized").GetInt64());
            var drops = answer.GetProperty("drops").EnumerateArray().ToList();
            Assert.Equal(
                ["loser-0", "loser-1", "loser-2"], drops.Select(static d => d.GetProperty("client").GetString()).Order(StringComparer.Ordinal));
            Assert.Equal(Silos, drops.Select(static d => d.GetProperty("silo").GetString()).Distinct().Count());
        }

        await using var reader = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt);
        await reader.SubscribeAsync("$SYS/#", 0);
        await using var other = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt, new ConnectOptions { ClientId = "elsewhere" });
        var versions = new HashSet<string>();
        var hasHeard = false;
        while (versions.Count < Silos || !hasHeard)
        {
            var message = await reader.PickAsync(static packet => packet.Type == PacketType.Publish, "what all brokers say", Limit);
            hasHeard |= message.Topic.EndsWith("/clients/elsewhere/connected", StringComparison.Ordinal);
            if (message.Topic.EndsWith("/version", StringComparison.Ordinal))
            {
                versions.Add(message.Topic);
            }
        }
    }
}
