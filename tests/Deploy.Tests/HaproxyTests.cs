using System.Diagnostics;
using Broker.Gateway.Admin;
using Broker.Gateway.Options;
using Broker.Grains.Tests.Storage;

namespace Broker.Deploy.Tests;

/// <summary>deploy/haproxy.cfg fits the program, and HAProxy itself accepts it.</summary>
public sealed class HaproxyTests
{
    private static readonly HaproxyConfiguration Configuration = HaproxyConfiguration.Read();

    [Fact]
    public void It_balances_by_least_connections_and_asks_for_readiness()
    {
        Assert.Equal("leastconn", Configuration.Values("backend silos", "balance").Single());
        Assert.Contains($"meth GET uri {HealthEndpoints.Ready} ", Configuration.Values("backend silos", "http-check send").Single(), StringComparison.Ordinal);
        Assert.Equal("status 200", Configuration.Values("backend silos", "http-check expect").Single());
        Assert.StartsWith($"check port {new HttpOptions().Port} ", Configuration.Values("backend silos", "default-server").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void It_uses_the_ports_that_the_program_has_by_itself()
    {
        var port = new ListenerEndpoint().Port;

        Assert.StartsWith($":::{port} ", Configuration.Values("frontend mqtt", "bind").Single(), StringComparison.Ordinal);
        Assert.Equal(3, Configuration.Servers.Count());
        Assert.All(Configuration.Servers, server => Assert.Equal((server.Name, port), (server.Host, server.Port)));
    }

    [HaproxyFact]
    public void HAProxy_accepts_it()
    {
        using var process = Process.Start(
            new ProcessStartInfo("haproxy") { RedirectStandardError = true, RedirectStandardOutput = true }.With("-c", "-f", HaproxyConfiguration.File))!;
        var text = process.StandardError.ReadToEnd() + process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        Assert.True(process.ExitCode == 0, text);

        // The names of the silos are not known here; that is all it may find fault with.
        Assert.All(
            text.Split('\n').Where(static line => line.Contains("[WARNING]", StringComparison.Ordinal)),
            static line => Assert.Contains("could not resolve address", line, StringComparison.Ordinal));
    }
}
