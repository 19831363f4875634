using System.Diagnostics;
using System.Globalization;

namespace Broker.Cluster.Tests;

/// <summary>
/// Random schedules of faults, also several at once, for as long as BROKER_CHAOS_MINUTES says (<c>./test.sh --chaos MINUTES</c>). Each is repeated by
/// its seed: BROKER_TEST_SEED.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output) : ClusterTest(output)
{
    private const int FaultsPerSchedule = 4;

    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(90);

    [ChaosFact]
    public async Task Random_schedules_lose_double_and_reorder_nothing()
    {
        var clock = Stopwatch.StartNew();
        var schedules = 0;
        for (var seed = Seed; clock.Elapsed < ChaosFactAttribute.Time; seed++)
        {
            await RunScheduleAsync(seed);
            schedules++;
        }

        Say($"{schedules} schedules from seed {Seed} without a fault of the broker");
    }

    private async Task RunScheduleAsync(int seed)
    {
        var random = new Random(seed);
        var qos = random.Next(1, 3);
        var version = random.Next(2) == 0 ? ProtocolVersion.Mqtt311 : ProtocolVersion.Mqtt5;
        var faults = new List<string>();
        var name = $"seed {seed}, QoS {qos}";
        await using var workload = new Workload(Cluster, random, qos, version, isExactlyOnce: qos == 2, prefix: $"c{seed}");
        await workload.StartAsync();
        for (var i = 0; i < FaultsPerSchedule; i++)
        {
            await workload.ProgressAsync(100, Recovery);
            faults.Add(await FaultAsync(workload, random));
        }

        await workload.ProgressAsync(100, Recovery);
        Say($"{name}, {string.Join(", ", faults)}: {await workload.FinishAsync($"{name}, {string.Join(", ", faults)}")}");
    }

    private async Task<string> FaultAsync(Workload workload, Random random)
    {
        var silo = random.Next(Cluster.Silos.Count);
        await Task.Delay(random.Next(500));
        switch (random.Next(6))
        {
            case 0:
                await Cluster.KillAsync(silo);
                await Task.Delay(random.Next(4000));
                await Cluster.StartAsync(silo);
                return $"kill {silo}";
            case 1:
                var time = TimeSpan.FromMilliseconds(random.Next(200, 6000));
                await Cluster.FreezeAsync(silo, time);
                return string.Create(CultureInfo.InvariantCulture, $"freeze {silo} for {time.TotalSeconds:F1} s");
            case 2:
                await Cluster.StopAsync(silo);
                await Cluster.StartAsync(silo);
                return $"restart {silo}";
            case 3:
                await Cluster.Server.CrashAsync();
                await Task.Delay(random.Next(3000));
                await Cluster.Server.StartAsync();
                return "database crash";
            case 4:
                await Task.WhenAll(Cluster.KillAsync(silo), Cluster.KillAsync((silo + 1) % Cluster.Silos.Count));
                await Task.WhenAll(Cluster.StartAsync(silo), Cluster.StartAsync((silo + 1) % Cluster.Silos.Count));
                return $"kill {silo} and {(silo + 1) % Cluster.Silos.Count}";
            default:
                for (var i = 0; i < 20; i++)
                {
                    workload.Clients[random.Next(workload.Clients.Count)].Cut();
                    await Task.Delay(random.Next(100));
                }

                return "moves";
        }
    }
}
