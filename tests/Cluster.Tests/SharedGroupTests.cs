namespace Broker.Cluster.Tests;

/// <summary>Groups whose members are spread over silos.</summary>
public sealed class SharedGroupTests(ITestOutputHelper output, HealthyCluster healthy) : HealthyClusterTest(output, healthy)
{
    [Fact]
    public async Task Members_on_three_silos_get_their_turns_from_any_silo()
    {
        var members = new List<ScriptedClient>();
        foreach (var silo in Cluster.Silos)
        {
            var member = await ScriptedClient.ConnectAsync(silo.Mqtt, new ConnectOptions { AcknowledgesByItself = true });
            Assert.Equal([ReasonCode.GrantedQoS1], (await member.SubscribeAsync("$share/turns/t/+", 1)).Reasons);
            members.Add(member);
        }

        const int Each = 20;
        foreach (var silo in Cluster.Silos)
        {
            await using var publisher = await ScriptedClient.ConnectAsync(silo.Mqtt, new ConnectOptions());
            for (var i = 0; i < Each; i++)
            {
                Assert.Equal(ReasonCode.Success, (await publisher.PublishAsync("t/1", $"{silo.Mqtt.Port} {i}", 1))!.Reason);
            }
        }

        var got = new List<string>();
        foreach (var member in members)
        {
            got.AddRange((await member.ExpectPublishesAsync(Each)).Select(static p => p.Text));
            await member.ExpectNothingAsync();
            await member.DisposeAsync();
        }

        Assert.Equal(3 * Each, got.Distinct().Count());
    }

    [Fact]
    public async Task Messages_wait_for_durable_members_and_go_to_whoever_comes_first_wherever()
    {
        await WaitAsync(qos: 1);
        await WaitAsync(qos: 2);
    }

    private async Task WaitAsync(int qos)
    {
        var filter = $"$share/wait{qos}/w{qos}";
        for (var i = 0; i < 2; i++)
        {
            await using var member = await ScriptedClient.ConnectAsync(
                Cluster.Silos[i].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, $"wait{qos}-{i}"));
            await member.SubscribeAsync(filter, qos);
            await member.DisconnectAsync();
        }

        await using var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[2].Mqtt, new ConnectOptions());
        for (var i = 0; i < 10; i++)
        {
            await publisher.PublishAsync($"w{qos}", $"{i}", qos);
        }

        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, $"wait{qos}-1") with { AcknowledgesByItself = true };
        await using var back = await ScriptedClient.ConnectAsync(Cluster.Silos[2].Mqtt, options);
        var got = new List<string>();
        while (got.Count < 10)
        {
            var packet = await back.PickAsync(static p => p.Type == PacketType.Publish, "PUBLISH");
            got.Add(packet.Text);
        }

        Assert.Equal(Enumerable.Range(0, 10).Select(static i => $"{i}"), got);
    }
}
