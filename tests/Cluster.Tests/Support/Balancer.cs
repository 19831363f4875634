using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Broker.Grains.Tests.Storage;

namespace Broker.Cluster.Tests.Support;

/// <summary>
/// A real HAProxy in front of the silos of a <see cref="SiloNetwork"/>, with <c>deploy/haproxy.cfg</c> as it is but for the addresses.
/// </summary>
internal sealed partial class Balancer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private static readonly HashSet<Process> Running = [];

    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;

    static Balancer() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        lock (Running)
        {
            foreach (var process in Running)
            {
                process.Kill();
            }
        }
    };

    private Balancer(SiloNetwork network)
    {
        Address = new IPEndPoint(network.Clients.Address, SiloNetwork.MqttPort);
        var file = Path.Combine(_folder.Path, "haproxy.cfg");
        File.WriteAllText(file, Configuration(network));

        _process = new Process
        {
            StartInfo = new ProcessStartInfo(HAProxy.Program!) { RedirectStandardError = true, RedirectStandardOutput = true }.With("-db", "-f", file),
        };
        Output.Attach(_process);
    }

    /// <summary>Why there cannot be one on this machine; null when there can.</summary>
    public static string? Obstacle { get; } =
        SiloNetwork.Obstacle ?? (HAProxy.Program is null ? "haproxy is not installed" : null);

    /// <summary>The one address that clients know.</summary>
    public IPEndPoint Address { get; }

    public ServerOutput Output { get; } = new();

    private string StatsSocket => Path.Combine(_folder.Path, "stats");

    /// <summary>Starts it, and makes it the address of the cluster.</summary>
    public static async Task<Balancer> StartAsync(LocalCluster cluster, SiloNetwork network)
    {
        var balancer = new Balancer(network);
        try
        {
            balancer._process.Start();
            lock (Running)
            {
                Running.Add(balancer._process);
            }

            balancer._process.BeginErrorReadLine();
            balancer._process.BeginOutputReadLine();
            await balancer.SeesAsync(cluster.Silos.Index().Where(static s => s.Item.IsRunning).Select(static s => s.Index), StartLimit);
            cluster.Balancer = balancer.Address;
            return balancer;
        }
        catch
        {
            await balancer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when exactly these silos get connections.</summary>
    public async Task SeesAsync(IEnumerable<int> silos, TimeSpan limit)
    {
        var expected = silos.Order().ToList();
        await Eventually.TrueAsync(
            async () => (await StateAsync()).Index().Where(static s => s.Item.IsUp).Select(static s => s.Index).SequenceEqual(expected),
            limit,
            () => $"the balancer sees {string.Join(", ", expected)}:\n{Output.Text}");
    }

    /// <summary>Of each silo: whether it gets connections, how many it has from here, and how many it has got in all.</summary>
    public async Task<IReadOnlyList<(bool IsUp, int Connections, int Total)>> StateAsync()
    {
        string text;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(StatsSocket));
            await socket.SendAsync("show stat silos 4 -1\n"u8.ToArray());
            using var reader = new StreamReader(new NetworkStream(socket), Encoding.ASCII);
            text = await reader.ReadToEndAsync();
        }
        catch (SocketException)
        {
            // It is just starting.
            return _process.HasExited ? throw new TestFailureException($"HAProxy has ended:\n{Output.Text}") : [];
        }

        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var columns = lines[0].TrimStart('#', ' ').Split(',').ToList();
        return
        [
            .. from line in lines.Skip(1)
               let cells = line.Split(',')
               select (
                   cells[columns.IndexOf("status")].StartsWith("UP", StringComparison.Ordinal),
                   Number(cells[columns.IndexOf("scur")]),
                   Number(cells[columns.IndexOf("stot")])),
        ];

        static int Number(string cell) => int.Parse(cell, CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        lock (Running)
        {
            Running.Remove(_process);
        }

        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _folder.Dispose();
    }

    private string Configuration(SiloNetwork network)
    {
        var shipped = File.ReadAllText(Path.Combine(RepositoryPaths.Root, "deploy", "haproxy.cfg"));
        var servers = network.Silos.Index().Select(static s => string.Create(
            CultureInfo.InvariantCulture, $"    server silo{s.Index + 1} {s.Item.Address}:{SiloNetwork.MqttPort}"));
        var text = Servers().Replace(shipped, string.Join('\n', servers) + "\n", 1);
        return Bind().Replace(text, $"    bind {Address} backlog 4096", 1)
            .Replace("\nglobal\n", $"\nglobal\n    stats socket {StatsSocket} level user\n", StringComparison.Ordinal);
    }

    [GeneratedRegex("(^    server .*\n)+", RegexOptions.Multiline)]
    private static partial Regex Servers();

    [GeneratedRegex("^    bind .*$", RegexOptions.Multiline)]
    private static partial Regex Bind();
}
