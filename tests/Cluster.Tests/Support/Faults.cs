using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Broker.Cluster.Tests.Support;

/// <summary>
/// Faults by chance. Several may run at once; two that would hinder each other (both about one silo, the database, or the network) run one after
/// the other.
/// </summary>
internal sealed class Faults(LocalCluster cluster, SiloNetwork? network, Random random) : IDisposable
{
    private readonly SemaphoreSlim[] _silos = [.. cluster.Silos.Select(static _ => new SemaphoreSlim(1))];
    private readonly SemaphoreSlim _database = new(1);
    private readonly SemaphoreSlim _network = new(1);
    private readonly ConcurrentQueue<string> _done = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public void Dispose()
    {
        _database.Dispose();
        _network.Dispose();
        Array.ForEach(_silos, static silo => silo.Dispose());
    }

    /// <summary>What has been done, with its time in seconds.</summary>
    public override string ToString() => string.Join(", ", _done);

    /// <summary>One fault, and its end.</summary>
    public async Task RunAsync(Workload workload)
    {
        var (kind, silo, delay, length) = (Next(12), Next(cluster.Silos.Count), Next(2000), TimeSpan.FromMilliseconds(Next(500, 9000)));
        await Task.Delay(delay);
        switch (kind)
        {
            case 0:
                await OnSiloAsync(silo, "kill", async () =>
                {
                    await cluster.KillAsync(silo);
                    await Task.Delay(length / 2);
                    await cluster.StartAsync(silo);
                });
                break;
            case 1:
                await OnSiloAsync(silo, Text($"freeze for {length.TotalSeconds:F1} s"), () => cluster.FreezeAsync(silo, length));
                break;
            case 2:
                await OnSiloAsync(silo, "restart", async () =>
                {
                    await cluster.StopAsync(silo);
                    await cluster.StartAsync(silo);
                });
                break;
            case 3:
                await Task.WhenAll(KillAndStartAsync(silo), KillAndStartAsync((silo + 1) % cluster.Silos.Count));
                break;
            case 4:
                await MoveAsync(workload);
                break;
            case < 8:
                await OnDatabaseAsync(kind, length);
                break;
            default:
                await OnNetworkAsync(kind, silo, length);
                break;
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private Task KillAndStartAsync(int silo) => OnSiloAsync(silo, "kill and start", async () =>
    {
        await cluster.KillAsync(silo);
        await cluster.StartAsync(silo);
    });

    private async Task MoveAsync(Workload workload)
    {
        Note("moves");
        for (var i = 0; i < 20; i++)
        {
            workload.Clients[Next(workload.Clients.Count)].Cut();
            await Task.Delay(Next(100));
        }
    }

    private Task OnSiloAsync(int silo, string what, Func<Task> fault) => AloneAsync(_silos[silo], $"{what} {silo}", fault);

    private Task OnDatabaseAsync(int kind, TimeSpan length) => kind switch
    {
        5 => AloneAsync(_database, Text($"database killed for {length.TotalSeconds / 3:F1} s"), async () =>
        {
            await cluster.Server.KillAsync();
            await Task.Delay(length / 3);
            await cluster.Server.StartAsync();
        }),
        6 => AloneAsync(_database, Text($"database frozen for {length.TotalSeconds:F1} s"), async () =>
        {
            await cluster.Server.FreezeAsync(frozen: true);
            await Task.Delay(length);
            await cluster.Server.FreezeAsync(frozen: false);
        }),
        _ => AloneAsync(_database, Text($"database slow for {length.TotalSeconds:F1} s"), () => cluster.Server.SlowAsync(length, share: 0.2)),
    };

    private Task OnNetworkAsync(int kind, int silo, TimeSpan length)
    {
        if (network is null)
        {
            Note("no link cut");
            return Task.CompletedTask;
        }

        var one = network.Silos[silo];
        var others = network.Silos.Where(other => other != one).ToList();
        return kind switch
        {
            8 => CutAsync(Text($"link {silo} to {others[0].Name}"), [one], [others[0]], length * 2),
            9 => CutAsync(Text($"{silo} from the other silos"), [one], others, length),
            10 => CutAsync(Text($"{silo} from the database"), [one], [network.Database], length * 2),
            _ => CutAsync(Text($"{silo} from everything"), [one], [.. others, network.Database, network.Clients], length),
        };
    }

    private Task CutAsync(string what, List<NetworkPlace> some, List<NetworkPlace> others, TimeSpan length) =>
        AloneAsync(_network, Text($"cut {what} for {length.TotalSeconds:F1} s"), async () =>
        {
            await network!.CutAsync(some, others);
            await Task.Delay(length);
            await network.HealAsync();
        });

    private async Task AloneAsync(SemaphoreSlim what, string note, Func<Task> fault)
    {
        await what.WaitAsync();
        try
        {
            Note(note);
            await fault();
        }
        finally
        {
            what.Release();
        }
    }

    private void Note(string what) => _done.Enqueue(Text($"{_clock.Elapsed.TotalSeconds:F1} {what}"));

    private int Next(int limit) => Next(0, limit);

    private int Next(int least, int limit)
    {
        lock (random)
        {
            return random.Next(least, limit);
        }
    }
}
