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

    /// <summary>Command that becomes <c>dotnet</c>, with its own options: what a shell or a supervisor would do to the process before.</summary>
    public IReadOnlyList<string> Launcher { get; init; } = [];

    /// <summary>Folder that it is started in; null: one that has nothing to do with it.</summary>
    public string? WorkingDirectory { get; init; }

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

    /// <summary>Puts another command in front, one that becomes the program: the process id stays.</summary>
    public static ProcessStartInfo Behind(IReadOnlyList<string> launcher, ProcessStartInfo command)
    {
        if (launcher.Count > 0)
        {
            command.ArgumentList.Insert(0, command.FileName);
            for (var i = 1; i < launcher.Count; i++)
            {
                command.ArgumentList.Insert(i - 1, launcher[i]);
            }

            command.FileName = launcher[0];
        }

        return command;
    }

    protected override ProcessStartInfo Command()
    {
        var command = CommandFor(
            Arguments ?? ["--data", DataDirectory, "--mqtt", Port(Mqtt?.Port ?? Ports?.Mqtt), "--http", Port(Http?.Port ?? Ports?.Http)], Settings, Program);
        command.WorkingDirectory = WorkingDirectory ?? command.WorkingDirectory;
        return Behind(NetworkNamespace is null ? Launcher : ["ip", "netns", "exec", NetworkNamespace], command);
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
