using Broker.TestKit.Clients;

namespace Broker.Deploy.Tests;

/// <summary>A cluster on one machine, as deploy/local starts it.</summary>
public sealed class LocalClusterTests
{
    [Fact]
    public async Task Three_silos_over_a_database_of_their_own_are_one_broker_until_Ctrl_C()
    {
        await using var cluster = new LocalClusterProcess();
        await cluster.StartAsync();
        Assert.True(cluster.HasDatabase);
        await using (var subscriber = await ScriptedClient.ConnectAsync(cluster.Silos[0]))
        await using (var publisher = await ScriptedClient.ConnectAsync(cluster.Silos[2]))
        {
            await subscriber.SubscribeAsync("across", qos: 0);
            await publisher.PublishAsync("across", "all", qos: 0);
            await subscriber.ExpectPublishAsync("across", "all");
        }

        using (var http = new HttpClient())
        {
            foreach (var dashboard in cluster.Dashboards)
            {
                using var page = await http.GetAsync(dashboard);
                Assert.True(page.IsSuccessStatusCode, $"{dashboard}: {page.StatusCode}");
            }
        }

        Assert.Equal(0, await cluster.InterruptAsync());
        Assert.False(cluster.HasDatabase);
        foreach (var silo in cluster.Silos)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => ScriptedClient.ConnectAsync(silo));
        }
    }
}
