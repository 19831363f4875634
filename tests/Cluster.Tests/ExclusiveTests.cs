namespace Broker.Cluster.Tests;

/// <summary>Exclusive subscriptions that clients of two silos want.</summary>
public sealed class ExclusiveTests(ITestOutputHelper output) : ClusterTest(output, silos: 2)
{
    private const int Filters = 40;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Of_two_clients_on_two_silos_one_gets_it_and_what_a_dead_silo_held_is_free_unless_it_is_durable()
    {
        await using var first = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt);
        await using var second = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt);
        for (var i = 0; i < Filters; i++)
        {
            var answers = await Task.WhenAll(first.SubscribeAsync($"$exclusive/race/{i}", 1), second.SubscribeAsync($"$exclusive/race/{i}", 1));
            Assert.Equal([ReasonCode.GrantedQoS1, ReasonCode.QuotaExceeded], answers.Select(static a => a.Reasons[0]).Order());
        }

        // Free when the one on the other silo lets go of it.
        await first.SubscribeAsync("$exclusive/t", 1);
        await first.UnsubscribeAsync("$exclusive/t");
        Assert.Equal(ReasonCode.GrantedQoS1, (await second.SubscribeAsync("$exclusive/t", 1)).Reasons[0]);
        await first.PublishAsync("t", "from the other silo", 1);
        await second.ExpectPublishAsync("t", "from the other silo");
        Assert.Equal(ReasonCode.QuotaExceeded, (await first.SubscribeAsync("$exclusive/t", 1)).Reasons[0]);
        await second.DisconnectAsync();
        await Eventually.TrueAsync(
            async () => (await first.SubscribeAsync("$exclusive/t", 1)).Reasons[0] == ReasonCode.GrantedQoS1, Limit, () => "free");

        // A durable session takes it along to another silo, and keeps it when the silo dies.
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "durable");
        await using (var durable = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt, options))
        {
            Assert.Equal(ReasonCode.GrantedQoS1, (await durable.SubscribeAsync("$exclusive/kept", 1)).Reasons[0]);
        }

        await using (await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt, options))
        {
            await using var other = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt);
            Assert.Equal(ReasonCode.QuotaExceeded, (await other.SubscribeAsync("$exclusive/kept", 1)).Reasons[0]);
        }

        await Cluster.KillAsync(0);
        await using var third = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt);
        await Eventually.TrueAsync(
            async () => (await third.SubscribeAsync("$exclusive/t", 1)).Reasons[0] == ReasonCode.GrantedQoS1, Limit, () => $"free\n{Cluster.Log}");
        Assert.Equal(ReasonCode.QuotaExceeded, (await third.SubscribeAsync("$exclusive/kept", 1)).Reasons[0]);
        await using var back = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt, options);
        await back.UnsubscribeAsync("$exclusive/kept");
        Assert.Equal(ReasonCode.GrantedQoS1, (await third.SubscribeAsync("$exclusive/kept", 1)).Reasons[0]);
    }
}
