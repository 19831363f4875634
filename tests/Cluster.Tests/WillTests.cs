namespace Broker.Cluster.Tests;

/// <summary>Wills of clients whose next CONNECT comes to another silo.</summary>
public sealed class WillTests(ITestOutputHelper output, HealthyCluster healthy) : HealthyClusterTest(output, healthy)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Delayed_Will_is_published_when_its_client_starts_clean_elsewhere_and_not_when_it_resumes_MQTT_3_1_3_9(bool isConnected)
    {
        var place = $"will/{isConnected}";
        await using var listener = await ListenAsync(place);
        var dying = new List<ScriptedClient>();
        try
        {
            foreach (var name in new[] { "resumes", "ends" })
            {
                dying.Add(await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt, Mortal(ProtocolVersion.Mqtt5, place, name, delay: 600)));
                if (!isConnected)
                {
                    await dying[^1].DisconnectAsync(ReasonCode.DisconnectWithWillMessage);
                    await dying[^1].ExpectCloseAsync();
                }
            }

            await using var resumes = await ScriptedClient.ConnectAsync(
                Cluster.Silos[1].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, $"{place}/resumes"));
            Assert.True(resumes.ConnAck.SessionPresent);
            await using var ends = await ScriptedClient.ConnectAsync(
                Cluster.Silos[1].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, $"{place}/ends") with { Clean = true });
            Assert.False(ends.ConnAck.SessionPresent);

            await listener.ExpectPublishAsync($"{place}/ends", "gone");
            await ExpectNoOtherAsync(listener, place);
        }
        finally
        {
            await Task.WhenAll(dying.Select(static client => client.DisposeAsync().AsTask()));
        }
    }

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311)]
    [InlineData(ProtocolVersion.Mqtt5)]
    public async Task Will_without_a_delay_is_published_once_when_its_client_takes_its_session_over_on_another_silo(ProtocolVersion version)
    {
        var place = $"will/{version}";
        await using var listener = await ListenAsync(place);
        await using var first = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt, Mortal(version, place, "taken", delay: 0));
        await using var second = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt, ConnectOptions.Durable(version, $"{place}/taken"));
        Assert.True(second.ConnAck.SessionPresent);

        await listener.ExpectPublishAsync($"{place}/taken", "gone");
        await ExpectNoOtherAsync(listener, place);
    }

    /// <summary>Whatever the silos had published before their markers has come.</summary>
    private async Task ExpectNoOtherAsync(ScriptedClient listener, string place)
    {
        for (var silo = 0; silo < 2; silo++)
        {
            await using var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt);
            await publisher.PublishAsync($"{place}/marker", $"{silo}", 1);
            await listener.ExpectPublishAsync($"{place}/marker", $"{silo}");
        }
    }

    private static ConnectOptions Mortal(ProtocolVersion version, string place, string name, uint delay) =>
        ConnectOptions.Durable(version, $"{place}/{name}") with
        {
            Will = new Will($"{place}/{name}", "gone", qos: 1)
            {
                Properties = delay == 0 ? [] : new() { { Prop.WillDelayInterval, delay } },
            },
        };

    private async Task<ScriptedClient> ListenAsync(string place)
    {
        var listener = await ScriptedClient.ConnectAsync(Cluster.Silos[2].Mqtt, new ConnectOptions { AcknowledgesByItself = true });
        await listener.SubscribeAsync($"{place}/+", 1);
        return listener;
    }
}
