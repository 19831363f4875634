using System.Diagnostics;

namespace Broker.Cluster.Tests;

/// <summary>
/// A database that is stopped, killed, frozen or slow under load: nothing is lost, publishers are slowed, memory stays bounded,
/// readiness says so, and all is well again by itself.
/// </summary>
public sealed class DatabaseFaultTests(ITestOutputHelper output) : ClusterTest(output)
{
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);

    // Beyond what a silo has at rest: the pending writes that are allowed, what waits on edges, and garbage.
    private const long MaxGrowth = 400;

    [Fact]
    public Task Killed_and_recovered() => RunAsync("killed", async _ =>
    {
        await Cluster.Server.KillAsync();
        await NotReadyAsync("database");
        await Cluster.Server.StartAsync();
    });

    [ChaosFact]
    public Task Stopped_for_30_s() => RunAsync("stopped", async _ =>
    {
        await Cluster.Server.CrashAsync();
        await NotReadyAsync("database");
        await Task.Delay(TimeSpan.FromSeconds(30));
        await Cluster.Server.StartAsync();
    });

    [ChaosFact]
    public Task Frozen_for_20_s() => RunAsync("frozen", async _ =>
    {
        await Cluster.Server.FreezeAsync(frozen: true);
        await NotReadyAsync("database");
        await NotReadyAsync("store");
        await Task.Delay(TimeSpan.FromSeconds(10));
        await Cluster.Server.FreezeAsync(frozen: false);
    });

    [ChaosFact]
    public Task Slow_for_20_s() => RunAsync("slow", async workload =>
    {
        var time = TimeSpan.FromSeconds(20);

        // For a client that is away every message has to be written; those that are there are served from memory.
        await using (var away = await ScriptedClient.ConnectAsync(
            Cluster.Silos[0].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "away")))
        {
            await away.SubscribeAsync("work/#", 1);
        }

        var before = await RateAsync(workload, Task.Delay(TimeSpan.FromSeconds(5)));
        var during = await RateAsync(workload, Cluster.Server.SlowAsync(time, share: 0.1));
        Say($"{before:F0} acknowledgements a second, {during:F0} while the database was slow");
        Assert.True(during > 0 && during < before, "publishers are slowed, and not stopped");
    });

    [ChaosFact]
    public Task Frozen_under_a_flood() => RunAsync("flood", async _ =>
    {
        // What one client may have under way, and what the buffers of both ends hold; read without limit it would be gigabytes.
        const long Most = 64 << 20;
        var clients = new List<ScriptedClient>();
        try
        {
            await using (var away = await ScriptedClient.ConnectAsync(
                Cluster.Silos[0].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "away")))
            {
                await away.SubscribeAsync("flood", 1);
            }

            for (var i = 0; i < 4; i++)
            {
                clients.Add(await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt, ProtocolVersion.Mqtt311));
            }

            // Shorter than it takes until durable work is refused: so long it waits.
            await Cluster.Server.FreezeAsync(frozen: true);
            using var time = new CancellationTokenSource(TimeSpan.FromSeconds(6));
            var taken = await Task.WhenAll(clients.Select(client => FloodAsync(client, time.Token)));
            await Cluster.Server.FreezeAsync(frozen: false);
            Say($"read of four clients that send as fast as they can: {string.Join(", ", taken.Select(static bytes => $"{bytes >> 20} MB"))}");
            Assert.All(taken, static bytes => Assert.InRange(bytes, 1, Most));
        }
        finally
        {
            await Task.WhenAll(clients.Select(static client => client.DisposeAsync().AsTask()));
        }
    });

    /// <summary>Publishes without waiting for anything but the socket; returns how many bytes that has taken.</summary>
    private static async Task<long> FloodAsync(ScriptedClient client, CancellationToken stop)
    {
        var payload = new string('x', 64 << 10);
        for (var taken = 0L; ;)
        {
            var packet = Packets.Publish(client.Version, new PublishOptions("flood", payload) { Qos = 1, PacketId = client.NextPacketId() });
            try
            {
                await client.SendAsync(packet, stop);
            }
            catch (OperationCanceledException)
            {
                return taken;
            }

            taken += packet.Length;
        }
    }

    private static async Task<double> RateAsync(Workload workload, Task period)
    {
        var clock = Stopwatch.StartNew();
        var before = workload.Acknowledged;
        await period;
        return (workload.Acknowledged - before) / clock.Elapsed.TotalSeconds;
    }

    private async Task RunAsync(string scenario, Func<Workload, Task> fault)
    {
        var name = $"{scenario}, seed {Seed}";
        Say(name);
        var processes = Cluster.Silos.Select(static silo => silo.ProcessId).ToList();
        await using var workload = new Workload(Cluster, new Random(Seed), qos: 1, ProtocolVersion.Mqtt5, isExactlyOnce: false);
        await workload.StartAsync();
        await workload.ProgressAsync(200, Recovery);
        var before = Cluster.LargestSilo;
        var largest = before;
        using var stop = new CancellationTokenSource();
        var watch = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                largest = Math.Max(largest, Cluster.LargestSilo);
                await Task.Delay(250);
            }
        });
        await fault(workload);
        await workload.ProgressAsync(200, Recovery);
        await Cluster.ReadyAsync(Recovery, 0, 1, 2);
        await stop.CancelAsync();
        await watch;
        Say($"{name}: {await workload.FinishAsync(name)}; largest silo {before} MB before, {largest} MB meanwhile");
        Assert.InRange(largest, 0, before + MaxGrowth);
        Assert.Equal(processes, Cluster.Silos.Select(static silo => silo.ProcessId));
        Assert.All(Cluster.Silos, static silo => Assert.DoesNotContain("begins again", silo.Output.Text, StringComparison.Ordinal));
    }

    private async Task NotReadyAsync(string cause)
    {
        for (var silo = 0; silo < Cluster.Silos.Count; silo++)
        {
            await Eventually.TrueAsync(
                async () => (await Cluster.ObstacleAsync(silo)).Contains(cause, StringComparison.Ordinal),
                Recovery,
                () => $"silo {silo} says that it is not ready because of the {cause}\n{Cluster.Log}");
        }
    }
}
