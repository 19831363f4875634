using System.Diagnostics;

namespace Broker.Cluster.Tests;

/// <summary>
/// Random schedules of faults, two at a time as often as not, for as long as BROKER_CHAOS_MINUTES says
/// (<c>./test.sh --chaos MINUTES</c>). Each is repeated by its seed: BROKER_TEST_SEED. Where network namespaces cannot be made,
/// no link is cut.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output) : ClusterTest(output)
{
    private const int RoundsPerSchedule = 4;

    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(120);

    protected override bool NeedsNetwork => true;

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
        var version = random.Next(2) == 0 ? ProtocolVersion.Mqtt311 : ProtocolVersion.Mqtt5;
        using var faults = new Faults(Cluster, OptionalNetwork, random);
        var name = $"seed {seed}";
        try
        {
            await using var workload = Workload.OfBothQos(Cluster, random, version, prefix: $"c{seed}");
            await workload.StartAsync();
            for (var i = 0; i < RoundsPerSchedule; i++)
            {
                await workload.ProgressAsync(100, Recovery);
                var round = Enumerable.Range(0, random.Next(1, 3)).Select(_ => faults.RunAsync(workload)).ToList();
                await Task.WhenAll(round);
            }

            await workload.ProgressAsync(100, Recovery);
            var report = await workload.FinishAsync(name);
            Say($"{name}, {faults}: {report}");
        }
        catch (Exception error)
        {
            var folder = await Cluster.KeepLogsAsync(name);
            Say($"{name}, {faults}: {error.GetType().Name}; logs in {folder}");
            throw;
        }
    }
}
