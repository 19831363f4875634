using System.Collections.Concurrent;
using System.Net;
using Broker.Grains.Tests.Storage;

namespace Broker.Cluster.Tests.Support;

/// <summary>Broker processes over a PostgreSQL database of their own.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, BrokerProcess> _up = new();
    private readonly BrokerProcess[] _silos;

    private LocalCluster(PostgresTestServer server, string database, int silos)
    {
        Server = server;
        Database = database;
        _silos = [.. Enumerable.Range(0, silos).Select(_ => NewSilo())];
    }

    public PostgresTestServer Server { get; }

    public string Database { get; }

    public IReadOnlyList<BrokerProcess> Silos => _silos;

    /// <summary>Starts all silos at once.</summary>
    public static async Task<LocalCluster> OfAsync(int silos)
    {
        var server = await PostgresTestServer.StartNewAsync();
        var cluster = new LocalCluster(server, await server.CreateDatabaseAsync("template1"), silos);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, silos).Select(cluster.StartAsync));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a silo, as a new member, on the ports that it had before.</summary>
    public async Task StartAsync(int silo)
    {
        await _silos[silo].StartAsync();
        _up[silo] = _silos[silo];
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync(int silo)
    {
        _up.TryRemove(silo, out _);
        await _silos[silo].KillAsync();
    }

    /// <summary>SIGTERM.</summary>
    public async Task StopAsync(int silo)
    {
        _up.TryRemove(silo, out _);
        Assert.Equal(0, await _silos[silo].TerminateAsync());
    }

    /// <summary>SIGSTOP for a while, then SIGCONT; a silo that was declared dead meanwhile ends and is started again.</summary>
    public async Task FreezeAsync(int silo, TimeSpan time)
    {
        _up.TryRemove(silo, out _);
        _silos[silo].Suspend();
        await Task.Delay(time);
        _silos[silo].Continue();

        // Longer than it takes to look into the membership table.
        await Task.Delay(TimeSpan.FromSeconds(4));
        if (!_silos[silo].IsRunning)
        {
            await _silos[silo].KillAsync();
            await StartAsync(silo);
        }

        _up[silo] = _silos[silo];
    }

    /// <summary>One of the silos that serve.</summary>
    public EndPoint Any(Random random)
    {
        var up = _up.Values.ToList();
        lock (random)
        {
            return up.Count == 0 ? _silos[random.Next(_silos.Length)].Mqtt : up[random.Next(up.Count)].Mqtt;
        }
    }

    /// <summary>What the silos have written, for the report of a failure.</summary>
    public string Log => string.Join(
        "\n", _silos.Select((silo, i) => $"--- silo {i}\n" + string.Join('\n', silo.Output.Text.Split('\n')
            .Where(static line => line.Contains("Broker", StringComparison.Ordinal)).TakeLast(15))));

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_silos.Select(static silo => silo.DisposeAsync().AsTask()));
        await Server.DisposeAsync();
    }

    private BrokerProcess NewSilo() => new()
    {
        Settings = new Dictionary<string, string>
        {
            ["Store:Kind"] = "Postgres",
            ["Store:ConnectionString"] = Database,
            ["Session:MaxQueued"] = "0",
            ["Session:MaxQueuedBytes"] = "0",
            ["Log:Level"] = "Information",
        },
    };
}
