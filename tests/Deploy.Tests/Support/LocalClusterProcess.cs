using System.Diagnostics;
using System.Net;
using Broker.Grains.Tests.Storage;

namespace Broker.Deploy.Tests.Support;

/// <summary>What <c>./broker cluster</c> runs once the program is built: silos and their database, on free ports.</summary>
internal sealed class LocalClusterProcess : BrokerServer
{
    private const int SiloCount = 3;

    private readonly List<Uri> _silos = [];
    private readonly List<Uri> _dashboards = [];

    /// <summary>Where clients connect, one address for each silo.</summary>
    public IReadOnlyList<IPEndPoint> Silos => [.. _silos.Select(static silo => new IPEndPoint(IPAddress.Loopback, silo.Port))];

    /// <summary>Where the dashboards are.</summary>
    public IReadOnlyList<Uri> Dashboards => _dashboards;

    /// <summary>Whether its database runs.</summary>
    public bool HasDatabase => File.Exists(Path.Combine(DataDirectory, "postgres", "postmaster.pid"));

    protected override ProcessStartInfo Command()
    {
        // As root the database runs as another user, who has to get to its folder.
        using (var chmod = Process.Start("chmod", ["755", Folder]))
        {
            chmod.WaitForExit();
        }

        return new ProcessStartInfo("env").With(
            "--default-signal=INT", "bash", Path.Combine(RepositoryPaths.Root, "deploy", "local", "cluster.sh"), RepositoryPaths.BrokerProgram,
            $"{SiloCount}", "--data", DataDirectory, "--mqtt", "0", "--http", "0");
    }

    protected override async Task ReadyAsync()
    {
        var ready = Output.LineAsync(static line => line.StartsWith("ready", StringComparison.Ordinal));
        for (var silo = 1; silo <= SiloCount; silo++)
        {
            var line = await Output.LineAsync(line => line.StartsWith($"silo {silo} ", StringComparison.Ordinal));
            var addresses = line.Split(' ').Where(static word => word.Contains("://", StringComparison.Ordinal)).Select(static word => new Uri(word)).ToList();
            _silos.Add(addresses[0]);
            _dashboards.Add(addresses[1]);
        }

        await ready;
        Mqtt = Silos[0];
    }
}
