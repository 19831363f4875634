using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Broker.TestKit.Servers;

/// <summary>This repository's broker, from its build output.</summary>
public sealed class BrokerProcess : BrokerServer
{
    /// <summary>Base address of health and dashboard; stays the same over restarts.</summary>
    public Uri Http { get; private set; } = null!;

    /// <summary>A command line of its own instead of the usual one, for tests of start-up.</summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    /// <summary>Network namespace that it runs in; null: that of the tests.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>Where clients reach it.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>What is run; another one takes effect at the next start.</summary>
    public string Program { get; set; } = RepositoryPaths.BrokerProgram;

    /// <summary>Ports of MQTT and of HTTP; null: free ones that the first start finds.</summary>
    public (int Mqtt, int Http)? Ports { get; init; }

    /// <summary>Command that runs the program with these arguments and settings.</summary>
    public static ProcessStartInfo CommandFor(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string> settings, string? program = null)
    {
        program ??= RepositoryPaths.BrokerProgram;
        if (!File.Exists(program))
        {
            throw new TestFailureException($"{program} does not exist: build src/Gateway first");
        }

        var command = new ProcessStartInfo("dotnet") { WorkingDirectory = Path.GetTempPath() };
        command.ArgumentList.Add(program);
        foreach (var argument in arguments)
        {
            command.ArgumentList.Add(argument);
        }

        foreach (var (key, value) in settings)
        {
            command.Environment["Broker__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        return command;
    }

    protected override ProcessStartInfo Command()
    {
        var command = CommandFor(
            Arguments ?? ["--data", DataDirectory, "--mqtt", Port(Mqtt?.Port ?? Ports?.Mqtt), "--http", Port(Http?.Port ?? Ports?.Http)], Settings, Program);
        if (NetworkNamespace is not null)
        {
            // It becomes the program: the process id stays.
            string[] prefix = ["netns", "exec", NetworkNamespace, command.FileName];
            for (var i = 0; i < prefix.Length; i++)
            {
                command.ArgumentList.Insert(i, prefix[i]);
            }

            command.FileName = "ip";
        }

        return command;
    }

    protected override async Task ReadyAsync()
    {
        var ready = Output.LineAsync(line => line.StartsWith("ready", StringComparison.Ordinal));
        var mqtt = Output.LineAsync(line => line.Contains("mqtt://", StringComparison.Ordinal));
        var http = Output.LineAsync(line => line.Contains("http://", StringComparison.Ordinal));
        await ready;
        Mqtt = new IPEndPoint(Address, AddressIn(await mqtt).Port);
        Http = AddressIn(await http);
    }

    private static string Port(int? port) => (port ?? 0).ToString(CultureInfo.InvariantCulture);

    private static Uri AddressIn(string line) =>
        new(line.Split(' ', StringSplitOptions.RemoveEmptyEntries).First(word => word.Contains("://", StringComparison.Ordinal)));
}
