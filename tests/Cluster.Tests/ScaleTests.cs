using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Broker.Cluster.Tests;

/// <summary>Silos are added and removed under load while clients stay pointed at one address.</summary>
public sealed class ScaleTests(ITestOutputHelper output) : BalancedTest(output, silos: 4)
{
    private static readonly HttpClient Http = new();

    // What a supervisor gives the silos: notice 3 s, drain 20 s, the rest 10 s.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(33);

    // Ten thousand, or as many as the balancer has file descriptors for: each takes two of them.
    private static readonly int Many = Math.Min(10_000, (OpenFiles() - 200) / 2);

    protected override int? InitialSilos => 2;

    [BalancedFact(IsLong = true)]
    public async Task Two_silos_become_four_and_the_new_ones_get_the_new_connections()
    {
        const int Clients = 300;
        await using var balancer = await Balancer.StartAsync(Cluster, Network);
        await using var workload = Workload.OfBothQos(Cluster, new Random(Seed), ProtocolVersion.Mqtt5, "out/");
        await workload.StartAsync();
        await using var crowd = new Crowd(balancer.Address, wills: null);
        await crowd.AddAsync(Clients);
        await workload.ProgressAsync(200, Recovery);
        var before = workload.Clients.Select(static client => client.Connections).ToList();

        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Cluster.StartAsync(2), Cluster.StartAsync(3));
        var ready = clock.Elapsed;
        await balancer.SeesAsync([0, 1, 2, 3], Recovery);
        var seen = clock.Elapsed;
        await crowd.AddAsync(Clients);
        var all = clock.Elapsed;
        await workload.ProgressAsync(200, Recovery);

        var connections = (await balancer.StateAsync()).Select(static silo => silo.Connections).ToList();
        var shares = await SharesAsync(balancer, workload);
        Say(string.Create(
            CultureInfo.InvariantCulture,
            $"2 -> 4: ready after {ready.TotalSeconds:F1} s, in the balance after {seen.TotalSeconds:F1} s, {Clients} more connected after {all.TotalSeconds:F1} s; {shares}"));
        Assert.InRange(connections[2], Clients / 3, Clients);
        Assert.InRange(connections[3], Clients / 3, Clients);
        Assert.True(seen - ready < TimeSpan.FromSeconds(20), $"{seen - ready}");

        // Nobody was moved.
        Assert.Equal(0, crowd.Returns);
        Assert.Equal(before, workload.Clients.Select(static client => client.Connections));
        Say($"{await workload.FinishAsync($"2 -> 4, seed {Seed}")}");
    }

    [BalancedFact]
    public async Task Connections_are_balanced_when_an_operator_asks_for_it_and_nobody_loses_anything()
    {
        const int Clients = 200;
        await using var balancer = await Balancer.StartAsync(Cluster, Network);
        await using var workload = Workload.OfBothQos(Cluster, new Random(Seed), ProtocolVersion.Mqtt5, "balance/");
        await workload.StartAsync();
        await using var crowd = new Crowd(balancer.Address, wills: "wills/crowd");
        await crowd.AddAsync(Clients);
        await Task.WhenAll(Cluster.StartAsync(2), Cluster.StartAsync(3));
        await balancer.SeesAsync([0, 1, 2, 3], Recovery);

        // On a silo that sends nobody away.
        await using var wills = await ScriptedClient.ConnectAsync(Cluster.Silos[3].Mqtt);
        await wills.SubscribeAsync("wills/#", 1);
        var all = Clients + workload.Clients.Count;

        // Any silo may be asked; the others hear it from there.
        var clock = Stopwatch.StartNew();
        using (var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Cluster.Silos[3].Http, "/api/v1/rebalance")))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
            using var answer = await Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            Say(await answer.Content.ReadAsStringAsync());
        }

        await Eventually.TrueAsync(
            async () => crowd.Connected == Clients && (await balancer.StateAsync()).All(silo => Math.Abs(silo.Connections - (all / 4)) <= all / 20),
            Recovery,
            () => $"{crowd}\n{Cluster.Log}");
        var shares = string.Join(", ", (await balancer.StateAsync()).Select(static silo => silo.Connections));
        Say(string.Create(CultureInfo.InvariantCulture, $"rebalance of {all}: {shares} after {clock.Elapsed.TotalSeconds:F1} s; {crowd}"));

        // Half of each of the two, at 50 a second.
        Assert.True(clock.Elapsed > TimeSpan.FromSeconds(0.8 * all / 4 / 50), $"{clock.Elapsed}");
        Assert.InRange(crowd.Returns, (all / 2) - workload.Clients.Count - (all / 10), (all / 2) + (all / 10));
        Assert.Equal(0, crowd.WithoutSession);
        Say($"rebalance: {await workload.FinishAsync($"rebalance, seed {Seed}")}");
        await wills.ExpectNothingAsync(TimeSpan.FromSeconds(6));
    }

    [BalancedFact]
    public Task Four_silos_become_two() => ScaleInAsync(600);

    [BalancedFact(IsLong = true)]
    public Task Four_silos_with_ten_thousand_clients_become_two() => ScaleInAsync(Many);

    [BalancedFact(IsLong = true)]
    public Task All_silos_are_restarted_and_everybody_comes_at_once() => StormAsync(600);

    [BalancedFact(IsLong = true)]
    public Task All_silos_are_restarted_and_ten_thousand_come_at_once() => StormAsync(Many);

    private async Task ScaleInAsync(int clients)
    {
        await Task.WhenAll(Cluster.StartAsync(2), Cluster.StartAsync(3));
        await using var balancer = await Balancer.StartAsync(Cluster, Network);
        await using var wills = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt);
        await wills.SubscribeAsync("wills/#", 1);
        await using var workload = Workload.OfBothQos(Cluster, new Random(Seed), ProtocolVersion.Mqtt5, "in/");
        await workload.StartAsync();
        await using var crowd = new Crowd(balancer.Address, wills: "wills/crowd");
        await crowd.AddAsync(clients);
        await workload.ProgressAsync(200, Recovery);
        Say($"4 -> 2, {clients} clients: {await SharesAsync(balancer, workload)}");

        foreach (var silo in (int[])[3, 2])
        {
            var there = (await balancer.StateAsync())[silo].Connections;
            var earlier = crowd.Returns;
            var clock = Stopwatch.StartNew();
            await Cluster.StopAsync(silo);
            var stopped = clock.Elapsed;
            await Eventually.TrueAsync(() => crowd.Connected == clients, Recovery, () => $"{crowd}\n{Cluster.Log}");
            Say(string.Create(
                CultureInfo.InvariantCulture,
                $"4 -> 2: silo {silo} with {there} connections ended after {stopped.TotalSeconds:F1} s, all back after {clock.Elapsed.TotalSeconds:F1} s, {crowd.Returns - earlier} moved; {crowd}"));
            Say(Cluster.Silos[silo].Output.Text.Split('\n').First(static line => line.Contains("connections closed in", StringComparison.Ordinal)));
            Assert.True(stopped < Grace, $"{stopped}");

            // Those of the workload are among the connections, and not in the crowd.
            Assert.InRange(crowd.Returns - earlier, there - workload.Clients.Count, there);
            await workload.ProgressAsync(200, Recovery);
        }

        Assert.Equal(0, crowd.WithoutSession);
        Say($"4 -> 2: {await workload.FinishAsync($"4 -> 2, {clients} clients, seed {Seed}")}");
        Assert.Equal(0, workload.Refusals);

        // Longer than Wills wait for clients that were sent away.
        await wills.ExpectNothingAsync(TimeSpan.FromSeconds(6));
    }

    private async Task StormAsync(int clients)
    {
        await using var balancer = await Balancer.StartAsync(Cluster, Network);
        await using var workload = Workload.OfBothQos(Cluster, new Random(Seed), ProtocolVersion.Mqtt5, "storm/");
        await workload.StartAsync();
        await using var crowd = new Crowd(balancer.Address, wills: null);
        await crowd.AddAsync(clients);
        await workload.ProgressAsync(200, Recovery);
        var memory = Cluster.LargestSilo;

        await Task.WhenAll(Cluster.KillAsync(0), Cluster.KillAsync(1));
        await Task.WhenAll(Cluster.StartAsync(0), Cluster.StartAsync(1));
        var clock = Stopwatch.StartNew();
        long most = 0;
        await Eventually.TrueAsync(
            () =>
            {
                most = Math.Max(most, Cluster.LargestSilo);
                return crowd.Returns >= clients && crowd.Connected == clients;
            },
            TimeSpan.FromSeconds(120),
            () => $"{crowd}\n{Cluster.Log}");

        Say(string.Create(
            CultureInfo.InvariantCulture,
            $"storm of {clients}: all back {clock.Elapsed.TotalSeconds:F1} s after the silos were ready, largest silo {memory} MB before, {most} MB at most; {crowd}"));
        Assert.Equal(0, crowd.WithoutSession);
        Assert.All(crowd.Refusals.Keys, static reason => Assert.Contains(reason, new[] { ReasonCode.ServerBusy, ReasonCode.ServerUnavailable }));
        Assert.True(most < memory + 100 + (clients / 50), $"{memory} MB before, {most} MB at most");
        await workload.ProgressAsync(200, Recovery);
        Say($"storm of {clients}: {await workload.FinishAsync($"storm of {clients}, seed {Seed}")}");
    }

    private static int OpenFiles()
    {
        var line = File.ReadLines("/proc/self/limits").First(static l => l.StartsWith("Max open files", StringComparison.Ordinal));
        return int.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4], CultureInfo.InvariantCulture, out var limit) ? limit : int.MaxValue;
    }

    /// <summary>Connections and CPU of each silo, the latter while some messages go through.</summary>
    private async Task<string> SharesAsync(Balancer balancer, Workload workload)
    {
        var running = Cluster.Silos.Where(static silo => silo.IsRunning).ToList();
        var before = running.Select(static silo => silo.ProcessorTime).ToList();
        await workload.ProgressAsync(1000, Recovery);
        var used = running.Zip(before, static (silo, earlier) => (silo.ProcessorTime - earlier).TotalSeconds).ToList();
        var connections = (await balancer.StateAsync()).Where(static silo => silo.IsUp).Select(static silo => silo.Connections).ToList();
        return $"share of connections {Percent(connections.Select(static c => (double)c))}, of CPU {Percent(used)}";

        static string Percent(IEnumerable<double> values)
        {
            var all = values.ToList();
            return string.Join("/", all.Select(value => string.Create(CultureInfo.InvariantCulture, $"{100 * value / all.Sum():F0}"))) + " %";
        }
    }
}
