using Broker.TestKit.Checks;

namespace Broker.Cluster.Tests;

/// <summary>Groups whose members are spread over silos, which die. Every acknowledged message reaches a member.</summary>
public sealed class SharedGroupTests(ITestOutputHelper output) : ClusterTest(output)
{
    private const int Publishers = 4;

    // Detection, fencing, adoption and reconnects, on a machine that has two cores for all of it.
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(90);

    [Fact]
    public Task Killed_nodes_with_durable_and_clean_members() => RunAsync(qos: 1, durable: 3, clean: 3, kills: 2);

    [ChaosFact]
    public Task Killed_nodes_at_QoS_2_with_durable_members() => RunAsync(qos: 2, durable: 4, clean: 0, kills: 4);

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

    private async Task RunAsync(int qos, int durable, int clean, int kills)
    {
        var random = new Random(Seed);
        var name = $"group, QoS {qos}, {durable} durable and {clean} clean members, seed {Seed}";
        Say(name);
        var checker = new DeliveryChecker(Publishers, subscribers: 0, isExactlyOnce: qos == 2);
        var deliveries = new GroupDeliveries();
        using var stop = new CancellationTokenSource();
        var members = Enumerable.Range(0, durable + clean).Select(i => new GroupMember(
            () => Cluster.Any(random),
            i < durable ? ConnectOptions.Durable(ProtocolVersion.Mqtt5, $"member{i}") : new ConnectOptions { ClientId = $"member{i}" },
            "$share/g/work/#",
            qos,
            deliveries)).ToList();
        var publishers = Enumerable.Range(0, Publishers).Select(i => new ReliablePublisher(
            () => Cluster.Any(random), ConnectOptions.Durable(ProtocolVersion.Mqtt311, $"p{i}"), $"work/{i}", i, qos, checker)
        {
            LeavesSilentBrokers = true,
        }).ToList();

        var receiving = members.ConvertAll(member => member.RunAsync(stop.Token));
        await Task.WhenAll(members.Select(static m => m.Ready)).WithinAsync(Recovery, () => $"members are not ready\n{Cluster.Log}");
        var sending = publishers.ConvertAll(publisher => publisher.RunAsync(stop.Token));
        await ProgressAsync(200);
        for (var round = 0; round < kills; round++)
        {
            var silo = random.Next(Cluster.Silos.Count);
            await Cluster.KillAsync(silo);
            await ProgressAsync(200);
            await Cluster.StartAsync(silo);
            members[random.Next(members.Count)].Cut();
            await ProgressAsync(200);
            Say($"kill {round + 1}: {checker.AcknowledgedCount} acknowledged, {deliveries.Count} received, {deliveries.Repeated} more than once");
        }

        publishers.ForEach(static publisher => publisher.Finish());
        await Task.WhenAll(sending).WithinAsync(Recovery, () => $"{name}: publishers are not done\n{Cluster.Log}");
        await Eventually.TrueAsync(
            () => deliveries.Missing(checker.AcknowledgedMessages).Count == 0,
            Recovery,
            () => $"{name}: lost {string.Join(", ", deliveries.Missing(checker.AcknowledgedMessages).Take(20))}\n{Cluster.Log}");
        Say($"{name}: {checker.AcknowledgedCount} acknowledged, none lost, {deliveries.Repeated} received more than once");
        await stop.CancelAsync();
        await Task.WhenAll(receiving);
        if (qos == 2)
        {
            Assert.Equal(0, deliveries.Repeated);
        }

        async Task ProgressAsync(int messages)
        {
            var goal = checker.AcknowledgedCount + messages;
            await Eventually.TrueAsync(
                () => checker.AcknowledgedCount >= goal || sending.Exists(static s => s.IsFaulted) || receiving.Exists(static r => r.IsFaulted),
                Recovery,
                () => $"{name}: {messages} more messages, {checker.AcknowledgedCount} acknowledged, {deliveries.Count} received\n{Cluster.Log}");
            await Task.WhenAll(sending.Concat(receiving).Where(static t => t.IsFaulted));
        }
    }
}
