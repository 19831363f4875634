using System.Net;

namespace Broker.Cluster.Tests;

/// <summary>Alarms about silos that go and come are those of the whole cluster.</summary>
public sealed class SiloAlarmTests(ITestOutputHelper output) : ClusterTest(output, silos: 2)
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
