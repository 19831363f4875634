using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Broker.Grains.Tests.Storage;

namespace Broker.Cluster.Tests.Support;

/// <summary>Broker processes over a PostgreSQL database of their own.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private static readonly HttpClient Http = new();

    private readonly ConcurrentDictionary<int, BrokerProcess> _up = new();
    private readonly BrokerProcess[] _silos;
    private readonly ConcurrentQueue<string>[] _earlier;

    private readonly IReadOnlyDictionary<string, string> _settings;

    private LocalCluster(
        PostgresTestServer server, string database, int silos, SiloNetwork? network, IReadOnlyDictionary<string, string> settings)
    {
        _settings = settings;
        Server = server;
        Database = database;
        _earlier = [.. Enumerable.Range(0, silos).Select(static _ => new ConcurrentQueue<string>())];
        _silos = [.. Enumerable.Range(0, silos).Select(silo => NewSilo(network?.Silos[silo]))];
    }

    public PostgresTestServer Server { get; }

    public string Database { get; }

    public IReadOnlyList<BrokerProcess> Silos => _silos;

    /// <summary>Address that clients use instead of those of the silos; null: any silo's.</summary>
    public EndPoint? Balancer { get; set; }

    /// <summary>Starts the first silos at once.</summary>
    /// <param name="silos">How many there may be.</param>
    /// <param name="network">Where they and their database run; null: in the network of the tests.</param>
    /// <param name="settings">Beyond the usual ones, or instead of them.</param>
    /// <param name="initial">How many are started; null: all.</param>
    public static async Task<LocalCluster> OfAsync(
        int silos, SiloNetwork? network = null, IReadOnlyDictionary<string, string>? settings = null, int? initial = null)
    {
        var server = await PostgresTestServer.StartNewAsync(network?.Database.Namespace, network?.Database.Address);
        var cluster = new LocalCluster(
            server, await server.CreateDatabaseAsync("template1"), silos, network, settings ?? new Dictionary<string, string>());
        try
        {
            await Task.WhenAll(Enumerable.Range(0, initial ?? silos).Select(cluster.StartAsync));
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
        _earlier[silo].Enqueue(_silos[silo].Output.Text);
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

    /// <summary>SIGSTOP for a while, then SIGCONT; a silo that was declared dead meanwhile joins again by itself.</summary>
    public async Task FreezeAsync(int silo, TimeSpan time)
    {
        _up.TryRemove(silo, out _);
        _silos[silo].Suspend();
        await Task.Delay(time);
        _silos[silo].Continue();
        _up[silo] = _silos[silo];
    }

    /// <summary>Why a silo is not ready; nothing when it is.</summary>
    public async Task<string> ObstacleAsync(int silo)
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            using var answer = await Http.GetAsync(new Uri(_silos[silo].Http, "/health/ready"), patience.Token);
            var text = await answer.Content.ReadAsStringAsync(patience.Token);
            return answer.IsSuccessStatusCode ? "" : text;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            return error.Message;
        }
    }

    /// <summary>Returns when silos are ready.</summary>
    public Task ReadyAsync(TimeSpan limit, params int[] silos) => Eventually.TrueAsync(
        async () => (await Task.WhenAll(silos.Select(ObstacleAsync))).All(static obstacle => obstacle.Length == 0),
        limit,
        () => $"silos are ready\n{Log}");

    /// <summary>Memory of the largest silo, in MB.</summary>
    public long LargestSilo => _silos.Where(static silo => silo.IsRunning).Max(static silo => silo.ResidentBytes) >> 20;

    /// <summary>Where a client may connect: one of the silos that serve, or their balancer.</summary>
    public EndPoint Any(Random random)
    {
        if (Balancer is { } balancer)
        {
            return balancer;
        }

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

    /// <summary>
    /// Writes all of what the silos have said to files. BROKER_TEST_INSPECT names a program that is run before, for each silo
    /// that runs, with its process id and a file to write to: for stacks and dumps.
    /// </summary>
    /// <returns>Their folder.</returns>
    public async Task<string> KeepLogsAsync(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "broker-chaos", name)).FullName;
        for (var silo = 0; silo < _silos.Length; silo++)
        {
            if (_silos[silo].IsRunning && Environment.GetEnvironmentVariable("BROKER_TEST_INSPECT") is { Length: > 0 } program)
            {
                using var inspection = Process.Start(program, [$"{_silos[silo].ProcessId}", Path.Combine(folder, $"silo{silo}.inspected")]);
                await inspection.WaitForExitAsync();
            }

            await File.WriteAllTextAsync(Path.Combine(folder, $"silo{silo}.log"), string.Join("\n", _earlier[silo].Append(_silos[silo].Output.Text)));
        }

        return folder;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_silos.Select(static silo => silo.DisposeAsync().AsTask()));
        await Server.DisposeAsync();
    }

    private BrokerProcess NewSilo(NetworkPlace? place) => new()
    {
        NetworkNamespace = place?.Namespace,
        Address = place?.Address ?? IPAddress.Loopback,
        Ports = place is null ? null : (SiloNetwork.MqttPort, SiloNetwork.HttpPort),
        Settings = new Dictionary<string, string>(_settings.Concat(new Dictionary<string, string>
        {
            ["Store:Kind"] = "Postgres",
            ["Store:ConnectionString"] = Database,
            ["Http:Address"] = $"{place?.Address ?? IPAddress.Loopback}",
            ["Auth:AllowAnonymous"] = "true",
            ["Session:MaxQueued"] = "0",
            ["Session:MaxQueuedBytes"] = "0",
            ["Log:Level"] = "Information",
            ["Log:Levels:Broker.Grains.Cluster"] = "Debug",
        }.Where(setting => !_settings.ContainsKey(setting.Key)))),
    };
}
