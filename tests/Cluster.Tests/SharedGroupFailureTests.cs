using Broker.TestKit.Checks;

namespace Broker.Cluster.Tests;

/// <summary>
/// Groups whose members are spread over silos; the silo that has the group is killed. Every acknowledged message reaches a member.
/// </summary>
public sealed class SharedGroupFailureTests(ITestOutputHelper output) : ClusterTest(output)
{
    private const int Publishers = 4;
    private const string Filter = "$share/g/work/#";

    // Detection, fencing, adoption and reconnects, on a machine that has two cores for all of it.
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(90);

    [Fact]
    public Task Killed_holders_with_durable_and_clean_members() => RunAsync(qos: 1, durable: 3, clean: 3, kills: 2);

    [ChaosFact]
    public Task Killed_holders_at_QoS_2_with_durable_members() => RunAsync(qos: 2, durable: 4, clean: 0, kills: 4);

    private async Task RunAsync(int qos, int durable, int clean, int kills)
    {
        var random = new Random(Seed);
        var name = $"group, QoS {qos}, {durable} durable and {clean} clean members, seed {Seed}";
        Say(name);
        var checker = new DeliveryChecker(Publishers, subscribers: 0, isExactlyOnce: qos == 2);
        var deliveries = new GroupDeliveries();
        using var stop = new CancellationTokenSource();
        var members = NewMembers(durable, clean, qos, random, deliveries);
        var publishers = Enumerable.Range(0, Publishers).Select(i => new ReliablePublisher(
            () => Cluster.Any(random), ConnectOptions.Durable(ProtocolVersion.Mqtt311, $"p{i}"), $"work/{i}", i, qos, checker)
        {
            LeavesSilentBrokers = true,
        }).ToList();

        var receiving = new List<Task> { members[0].RunAsync(stop.Token) };
        await members[0].Ready.WithinAsync(Recovery, () => $"the first member is not ready\n{Cluster.Log}");
        receiving.AddRange(members.Skip(1).Select(member => member.RunAsync(stop.Token)));
        await Task.WhenAll(members.Select(static m => m.Ready)).WithinAsync(Recovery, () => $"members are not ready\n{Cluster.Log}");
        var sending = publishers.ConvertAll(publisher => publisher.RunAsync(stop.Token));
        await ProgressAsync(200);
        for (var round = 0; round < kills; round++)
        {
            var silo = await GroupPlace.OfAsync(Cluster, Filter);
            Assert.True(round > 0 || silo == 0, $"silo {silo} has the group, not that of its first member");
            await Cluster.KillAsync(silo);
            await ProgressAsync(200);
            await Cluster.StartAsync(silo);
            members[random.Next(members.Count)].Cut();
            await ProgressAsync(200);
            Say($"kill {round + 1}, of silo {silo}: {checker.AcknowledgedCount} acknowledged, {deliveries.Count} received, {deliveries.Repeated} more than once");
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

    private List<GroupMember> NewMembers(int durable, int clean, int qos, Random random, GroupDeliveries deliveries)
    {
        var members = new List<GroupMember>();
        for (var i = 0; i < durable + clean; i++)
        {
            // The group is made where its first member is.
            var isFirst = i == 0;
            members.Add(new GroupMember(
                () => isFirst && !members[0].Ready.IsCompleted ? Cluster.Silos[0].Mqtt : Cluster.Any(random),
                i < durable ? ConnectOptions.Durable(ProtocolVersion.Mqtt5, $"member{i}") : new ConnectOptions { ClientId = $"member{i}" },
                Filter,
                qos,
                deliveries));
        }

        return members;
    }
}
