using Broker.Gateway.Hosting;

namespace Broker.Gateway.Configuration;

/// <summary>What the program was asked to do.</summary>
/// <param name="Help">Print the usage and end.</param>
/// <param name="Version">Print the version and end.</param>
/// <param name="Words">What is not an option: a command with its arguments; empty to run the broker.</param>
/// <param name="Values">Settings.</param>
internal sealed record CommandLine(
    bool Help, bool Version, IReadOnlyList<string> Words, IReadOnlyList<GivenValue> Values)
{
    /// <summary>Text of <c>--help</c>.</summary>
    public const string Usage = """
        Usage: broker [options]                  runs the broker
               broker cluster [N]                runs N silos (3) over a PostgreSQL of their own, on this machine
               broker user add NAME [options]    adds a user or changes the password, asked for or read from standard input
               broker user remove NAME [options]
               broker user list [options]
               broker health [live|ready]        asks the broker that runs on this machine with these options; exit code 0 when it is

          --data DIR                 data folder (./data)
          --mqtt PORT                port for MQTT (1883), 0 for any free one
          --http PORT                port for health, metrics, dashboard and API (8080), 0 for any free one
          --Broker:SECTION:KEY=VALUE any setting; all of them are in docs/configuration.md
          --help, --version

        Settings are read from appsettings.json (beside the program, in the working folder, in the data folder),
        then from environment variables (Broker__SECTION__KEY), then from the command line; the last one wins.
        """;

    private static readonly Dictionary<string, string> ShortForms = new(StringComparer.Ordinal)
    {
        ["--data"] = SettingKeys.DataDirectory,
        ["--mqtt"] = "Broker:Listeners:Mqtt:0:Port",
        ["--http"] = "Broker:Http:Port",
    };

    public static CommandLine Parse(IReadOnlyList<string> arguments)
    {
        var (help, version) = (false, false);
        var words = new List<string>();
        var values = new List<GivenValue>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            switch (argument)
            {
                case "--help" or "-h" or "-?":
                    help = true;
                    continue;
                case "--version":
                    version = true;
                    continue;
            }

            if (!argument.StartsWith('-'))
            {
                words.Add(argument);
                continue;
            }

            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? argument : argument[..equals];
            var key = KeyOf(name);
            if (equals < 0 && i + 1 == arguments.Count)
            {
                throw new StartupException($"{name} needs a value");
            }

            var value = equals < 0 ? arguments[++i] : argument[(equals + 1)..];
            values.Add(new GivenValue(key, value, ValueSource.CommandLine)
            {
                ShortForm = ShortForms.ContainsKey(name) ? name : null,
            });
        }

        return new CommandLine(help, version, words, values);
    }

    private static string KeyOf(string name)
    {
        if (ShortForms.TryGetValue(name, out var key))
        {
            return key;
        }

        if (name.StartsWith("--" + SettingKeys.Root + ":", StringComparison.OrdinalIgnoreCase))
        {
            return name[2..];
        }

        var closest = ClosestText.Find(name, [.. ShortForms.Keys, "--help", "--version"]);
        throw new StartupException(
            $"unknown option {name}" + (closest is null ? "; see --help" : $"; did you mean {closest}?"));
    }
}
