using System.Net;
using System.Text.Json;

namespace Broker.Cluster.Tests;

/// <summary>What operators ask of one silo and get of all.</summary>
public sealed class OperationsTests(ITestOutputHelper output) : ClusterTest(output, silos: 2)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Alarm_of_a_lost_silo_is_the_same_on_every_silo_and_is_cleared_through_any()
    {
        await Cluster.KillAsync(0);
        var id = "";
        await Eventually.TrueAsync(async () => (id = await LostOnAsync(1)).Length > 0, Limit, () => $"a silo is missed\n{Cluster.Log}");

        // One that joins is told, and has it in the store.
        await Cluster.StartAsync(0);
        await Eventually.TrueAsync(async () => await LostOnAsync(0) == id, Limit, () => $"'{id}' on the other silo\n{Cluster.Log}");

        using var admin = new AdminClient(Cluster.Silos[0].Http);
        Assert.Equal(HttpStatusCode.NoContent, await admin.DeleteAsync($"/api/v1/alarms/{id}"));
        await Eventually.TrueAsync(async () => await LostOnAsync(1) == "", Limit, () => $"'{id}' is over on both silos\n{Cluster.Log}");
    }

    [Fact]
    public async Task Silo_that_leaves_in_order_and_one_that_comes_are_alarms_on_every_silo()
    {
        await Cluster.StopAsync(0);
        await Eventually.TrueAsync(
            async () => (await AlarmsAsync(1)).Exists(static id => id.StartsWith("silo_left/", StringComparison.Ordinal)),
            Limit,
            () => $"a silo has left\n{Cluster.Log}");
        Assert.DoesNotContain(await AlarmsAsync(1), static id => id.StartsWith("silo_lost/", StringComparison.Ordinal));

        await Cluster.StartAsync(0);

        foreach (var silo in (int[])[0, 1])
        {
            await Eventually.TrueAsync(
                async () => await AlarmsAsync(silo) is var ids
                    && ids.Exists(static id => id.StartsWith("silo_joined/", StringComparison.Ordinal))
                    && !ids.Exists(static id => id.StartsWith("silo_left/", StringComparison.Ordinal)),
                Limit,
                () => $"silo {silo} knows that one has come for the one that left\n{Cluster.Log}");
        }
    }

    [Fact]
    public async Task Any_silo_answers_for_the_losses_of_all_and_a_subscriber_hears_of_all_brokers()
    {
        for (var silo = 0; silo < 2; silo++)
        {
            // Refused: topics that begin with $ are the brokers'.
            await using var client = await ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt, new ConnectOptions { ClientId = $"loser-{silo}" });
            await client.SendPublishAsync("$SYS/mine", "refused", 1, id: 1);
            Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.PubAck, 1)).Reason);
        }

        for (var silo = 0; silo < 2; silo++)
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
                () => $"both silos answer: {answer}\n{Cluster.Log}");
            Assert.Equal(2, answer.GetProperty("counts").GetProperty("NotAuthorized").GetInt64());
            var drops = answer.GetProperty("drops").EnumerateArray().ToList();
            Assert.Equal(
                ["loser-0", "loser-1"], drops.Select(static d => d.GetProperty("client").GetString()).Order(StringComparer.Ordinal));
            Assert.Equal(2, drops.Select(static d => d.GetProperty("silo").GetString()).Distinct().Count());
        }

        await using var reader = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt);
        await reader.SubscribeAsync("$SYS/#", 0);
        await using var other = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt, new ConnectOptions { ClientId = "elsewhere" });
        var versions = new HashSet<string>();
        var hasHeard = false;
        while (versions.Count < 2 || !hasHeard)
        {
            var message = await reader.PickAsync(static packet => packet.Type == PacketType.Publish, "what both brokers say", Limit);
            hasHeard |= message.Topic.EndsWith("/clients/elsewhere/connected", StringComparison.Ordinal);
            if (message.Topic.EndsWith("/version", StringComparison.Ordinal))
            {
                versions.Add(message.Topic);
            }
        }
    }

    /// <summary>Id of the alarm about a lost silo that a silo shows; nothing when there is none.</summary>
    private async Task<string> LostOnAsync(int silo)
    {
        return (await AlarmsAsync(silo)).FirstOrDefault(static id => id.StartsWith("silo_lost/", StringComparison.Ordinal), "");
    }

    private async Task<List<string>> AlarmsAsync(int silo)
    {
        using var admin = new AdminClient(Cluster.Silos[silo].Http);
        return (await admin.GetAsync("/api/v1/alarms")).GetProperty("raised").EnumerateArray()
            .Select(static alarm => alarm.GetProperty("id").GetString()!).ToList();
    }
}
