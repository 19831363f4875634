using System.Globalization;

namespace Broker.Cluster.Tests;

/// <summary>Silos that compare their connections by themselves, as <c>Broker:Rebalance:Interval</c> tells them to.</summary>
public sealed class AutomaticBalanceTests(ITestOutputHelper output) : BalancedTest(output, silos: 3)
{
    private const int Clients = 150;

    protected override int? InitialSilos => 2;

    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(base.Settings)
    {
        ["Rebalance:Interval"] = "2s",
        ["Rebalance:Rate"] = "50",
    };

    [BalancedFact(IsLong = true)]
    public async Task A_silo_that_comes_gets_its_share_of_the_clients_and_nobody_asks()
    {
        await using var balancer = await Balancer.StartAsync(Cluster, Network);
        await using var workload = Workload.OfBothQos(Cluster, new Random(Seed), ProtocolVersion.Mqtt5, "balance/");
        await workload.StartAsync();
        await using var crowd = new Crowd(balancer.Address, wills: "wills/crowd");
        await crowd.AddAsync(Clients);
        var all = Clients + workload.Clients.Count;
        var before = crowd.Returns;

        await Cluster.StartAsync(2);
        await balancer.SeesAsync([0, 1, 2], Recovery);
        await Eventually.TrueAsync(
            async () => crowd.Connected == Clients && (await balancer.StateAsync()).All(silo => Math.Abs(silo.Connections - (all / 3)) <= all / 8),
            Recovery,
            () => $"{crowd}\n{Cluster.Log}");

        var shares = string.Join(", ", (await balancer.StateAsync()).Select(static silo => silo.Connections));
        Say(string.Create(CultureInfo.InvariantCulture, $"{all} clients on three silos: {shares}; {crowd}"));
        // A third of them at least; silos look at different moments, so that some are sent on once more, but not everybody.
        Assert.InRange(crowd.Returns - before, all / 6, all);
        Assert.Equal(0, crowd.WithoutSession);
        Say($"{await workload.FinishAsync($"automatic balance, seed {Seed}")}");
    }
}
