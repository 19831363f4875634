using Broker.Grains.Options;
using YamlDotNet.RepresentationModel;

namespace Broker.Deploy.Tests;

/// <summary>deploy/compose: silos that the program's settings, the balancer's names and the database fit together for.</summary>
public sealed class ComposeTests
{
    private static readonly YamlMappingNode File = Load();
    private static readonly string[] Silos = ["silo1", "silo2", "silo3"];

    [Fact]
    public void Every_silo_has_settings_that_the_program_knows_and_the_database_that_runs_beside_it()
    {
        foreach (var silo in Silos)
        {
            var options = KnownSettings.Read(Variables(silo));
            Assert.Equal(StoreKind.Postgres, options.Store.Kind);
            Assert.Contains("Host=postgres;Database=broker;Username=broker;", options.Store.ConnectionString, StringComparison.Ordinal);
            Assert.NotEqual(0, options.Cluster.Port);
            Assert.Equal("*", options.Http.Address);
            Assert.Equal(8080, options.Http.Port);

            var grace = TimeSpan.FromSeconds(int.Parse(Text(silo, "stop_grace_period").TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture));
            Assert.True(grace > options.Shutdown.NoticeTime + options.Shutdown.DrainTimeout + options.Shutdown.StopTimeout);
            Assert.True(options.Shutdown.NoticeTime > TimeSpan.Zero);
            Assert.Equal("true", Text(silo, "read_only"));
            Assert.Equal("deploy/Dockerfile", ((YamlScalarNode)Node(silo, "build")["dockerfile"]).Value);
        }
    }

    [Fact]
    public void Silos_have_addresses_of_their_own_which_stay()
    {
        var addresses = Silos.Select(static silo => ((YamlScalarNode)Node(silo, "networks")["silos"]["ipv4_address"]).Value!).ToList();

        Assert.Equal(Silos.Length, addresses.Distinct().Count());
        Assert.All(addresses, static address => Assert.StartsWith("10.177.0.", address, StringComparison.Ordinal));
    }

    [Fact]
    public void The_balancer_is_the_one_of_bare_machines_and_waits_for_the_names_that_it_balances_over()
    {
        Assert.Contains(
            ((YamlSequenceNode)Node("haproxy", "volumes")).Select(static v => ((YamlScalarNode)v).Value),
            static volume => volume == "../haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro");
        Assert.Equal(Silos, ((YamlSequenceNode)Node("haproxy", "depends_on")).Select(static d => ((YamlScalarNode)d).Value));
        Assert.Equal(Silos, HaproxyConfiguration.Read().Servers.Select(static server => server.Host));
    }

    [Fact]
    public void Only_the_balancer_can_be_reached_from_outside()
    {
        var open = ((YamlMappingNode)File["services"]).Children.Where(static s => ((YamlMappingNode)s.Value).Children.ContainsKey("ports"));

        Assert.Equal("haproxy", ((YamlScalarNode)open.Single().Key).Value);
    }

    private static YamlMappingNode Load()
    {
        var path = Path.Combine(RepositoryPaths.Root, "deploy", "compose", "compose.yaml");
        var stream = new YamlStream();
        using var reader = System.IO.File.OpenText(path);
        stream.Load(reader);
        return (YamlMappingNode)stream.Documents.Single().RootNode;
    }

    /// <summary>A value of a service: its own, or the one of what it is merged with.</summary>
    private static YamlNode Node(string service, string key)
    {
        var node = (YamlMappingNode)File["services"][service];
        return node.Children.TryGetValue(key, out var own) ? own : node["<<"][key];
    }

    private static string Text(string service, string key) => ((YamlScalarNode)Node(service, key)).Value!;

    private static Dictionary<string, string> Variables(string service) => ((YamlMappingNode)Node(service, "environment")).Children
        .ToDictionary(static pair => ((YamlScalarNode)pair.Key).Value!, static pair => ((YamlScalarNode)pair.Value).Value!);
}
