using System.Diagnostics;
using System.Globalization;
using System.Net;
using Broker.Grains.Tests.Storage;

namespace Broker.Cluster.Tests.Support;

/// <summary>
/// A private network for the silos of a test: each silo, and the database, in a network namespace of its own, joined by a
/// bridge in one more namespace; the test process has an address in the same subnet. All of the machine that changes is
/// one interface, <c>brkN</c> with 10.77.N.254, which goes with the network.
/// <para>
/// A link is cut by giving both ends a false hardware address for each other: frames leave and reach nobody, so that
/// connections fall silent, as on a torn cable, and nobody gets a reset. It needs no packet filter.
/// </para>
/// </summary>
internal sealed class SiloNetwork : IAsyncDisposable
{
    /// <summary>Ports of every silo: each has an address of its own.</summary>
    public const int MqttPort = 1883;

    /// <inheritdoc cref="MqttPort"/>
    public const int HttpPort = 8080;

    private const string Prefix = "brk";
    private const string NobodysHardwareAddress = "02:00:00:00:00:01";
    private const string Interface = "eth0";
    private const string Namespaces = "/run/netns";

    private static readonly HashSet<SiloNetwork> Open = [];

    private readonly int _subnet;
    private readonly HashSet<(NetworkPlace, NetworkPlace)> _cuts = [];

    static SiloNetwork() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        foreach (var network in Open.ToList())
        {
            network.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    };

    private SiloNetwork(int subnet, int silos)
    {
        _subnet = subnet;
        Database = PlaceAt("db", 2);
        Clients = new NetworkPlace("clients", AddressAt(254), Namespace: null, HostInterface(subnet));
        Silos = [.. Enumerable.Range(0, silos).Select(silo => PlaceAt($"silo{silo}", 10 + silo))];
    }

    /// <summary>Why there cannot be one on this machine; null when there can.</summary>
    public static string? Obstacle { get; } = FindObstacle();

    public NetworkPlace Database { get; }

    /// <summary>The test process with its MQTT clients.</summary>
    public NetworkPlace Clients { get; }

    public IReadOnlyList<NetworkPlace> Silos { get; }

    private string Switch => $"{Prefix}-{Environment.ProcessId}-{_subnet}-switch";

    /// <summary>Builds one, after removing what test processes that are gone have left.</summary>
    public static async Task<SiloNetwork> OfAsync(int silos)
    {
        await RemoveLeftoversAsync();
        for (var subnet = 1; subnet < 255; subnet++)
        {
            var network = new SiloNetwork(subnet, silos);
            if (await network.TryBuildAsync())
            {
                lock (Open)
                {
                    Open.Add(network);
                }

                return network;
            }
        }

        throw new InvalidOperationException("No free subnet 10.77.N.0/24.");
    }

    /// <summary>Nothing gets through between these two any more, in both directions.</summary>
    public async Task CutAsync(NetworkPlace one, NetworkPlace other)
    {
        lock (_cuts)
        {
            _cuts.Add((one, other));
        }

        await Task.WhenAll(
            IpAsync([.. one.In, "neigh", "replace", $"{other.Address}", "lladdr", NobodysHardwareAddress, "dev", one.Interface, "nud", "permanent"]),
            IpAsync([.. other.In, "neigh", "replace", $"{one.Address}", "lladdr", NobodysHardwareAddress, "dev", other.Interface, "nud", "permanent"]));
    }

    /// <summary>Cuts every link between two groups.</summary>
    public Task CutAsync(IEnumerable<NetworkPlace> some, IEnumerable<NetworkPlace> others) =>
        Task.WhenAll(some.SelectMany(_ => others, CutAsync));

    public async Task HealAsync(NetworkPlace one, NetworkPlace other)
    {
        lock (_cuts)
        {
            _cuts.Remove((one, other));
        }

        await Task.WhenAll(
            IpAsync([.. one.In, "neigh", "del", $"{other.Address}", "dev", one.Interface]),
            IpAsync([.. other.In, "neigh", "del", $"{one.Address}", "dev", other.Interface]));
    }

    /// <summary>Heals every link that is cut.</summary>
    public Task HealAsync()
    {
        List<(NetworkPlace One, NetworkPlace Other)> cuts;
        lock (_cuts)
        {
            cuts = [.. _cuts];
        }

        return Task.WhenAll(cuts.Select(cut => HealAsync(cut.One, cut.Other)));
    }

    /// <summary>Removes it. Whatever still runs in it is ended.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (Open)
        {
            Open.Remove(this);
        }

        foreach (var place in (string[])[.. Silos.Select(static s => s.Namespace!), Database.Namespace!, Switch])
        {
            await RemoveAsync(place);
        }
    }

    private static string HostInterface(int subnet) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{subnet}");

    private IPAddress AddressAt(int host) => new([10, 77, (byte)_subnet, (byte)host]);

    private NetworkPlace PlaceAt(string name, int host) =>
        new(name, AddressAt(host), $"{Prefix}-{Environment.ProcessId}-{_subnet}-{name}", Interface);

    private async Task<bool> TryBuildAsync()
    {
        await IpAsync("netns", "add", Switch);

        // The name of the interface is taken by one test process only, and with it the subnet.
        if (await TryIpAsync("link", "add", "name", Clients.Interface, "type", "veth", "peer", "name", "clients", "netns", Switch) != 0)
        {
            await IpAsync("netns", "del", Switch);
            return false;
        }

        await IpAsync("-n", Switch, "link", "add", "name", "bridge", "type", "bridge", "forward_delay", "0");
        await IpAsync("-n", Switch, "link", "set", "bridge", "up");
        foreach (var place in (NetworkPlace[])[.. Silos, Database])
        {
            await IpAsync("netns", "add", place.Namespace!);
            await IpAsync("-n", place.Namespace!, "link", "set", "lo", "up");
            await IpAsync("-n", place.Namespace!, "link", "add", "name", Interface, "type", "veth", "peer", "name", place.Name, "netns", Switch);
        }

        foreach (var place in (NetworkPlace[])[.. Silos, Database, Clients])
        {
            await IpAsync("-n", Switch, "link", "set", place.Name, "master", "bridge", "up");
            await IpAsync([.. place.In, "addr", "add", $"{place.Address}/24", "dev", place.Interface]);
            await IpAsync([.. place.In, "link", "set", place.Interface, "up"]);
        }

        return true;
    }

    private static async Task RemoveLeftoversAsync()
    {
        if (!Directory.Exists(Namespaces))
        {
            return;
        }

        foreach (var name in Directory.GetFiles(Namespaces).Select(static file => Path.GetFileName(file)))
        {
            if (name.Split('-') is [Prefix, var process, ..] && !Directory.Exists($"/proc/{process}"))
            {
                await RemoveAsync(name);
            }
        }
    }

    private static async Task RemoveAsync(string name)
    {
        // A namespace lives, with its interfaces, as long as a process is in it.
        await RunAsync("/bin/sh", "-c", $"ip netns pids {name} | xargs -r kill -9");
        await TryIpAsync("netns", "del", name);
    }

    private static string? FindObstacle()
    {
        if (Environment.UserName != "root")
        {
            return "network namespaces need root";
        }

        var name = $"{Prefix}-{Environment.ProcessId}-probe";
        try
        {
            var failed = RunAsync("/bin/sh", "-c", $"ip netns add {name} && ip -n {name} link add name probe0 type bridge && ip -n {name} link add name probe1 type veth peer name probe2")
                .GetAwaiter().GetResult();
            TryIpAsync("netns", "del", name).GetAwaiter().GetResult();
            return failed == 0 ? null : "network namespaces, veth and bridges are not available here (ip netns add, ip link add)";
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return $"ip (package iproute2) is needed: {missing.Message}";
        }
    }

    private static async Task IpAsync(params string[] arguments)
    {
        if (await TryIpAsync(arguments) is var code and not 0)
        {
            throw new InvalidOperationException($"ip {string.Join(' ', arguments)} ended with {code}.");
        }
    }

    private static Task<int> TryIpAsync(params string[] arguments) => RunAsync("ip", arguments);

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardOutput = true }.With(arguments))!;
        await Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
