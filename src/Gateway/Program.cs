using Broker.Gateway.Admin;
using Broker.Gateway.Auth;
using Broker.Gateway.Configuration;
using Broker.Gateway.Hosting;

RuntimeTuning.Apply();
try
{
    var commandLine = CommandLine.Parse(args);
    switch (commandLine)
    {
        case { Help: true }:
            Console.WriteLine(CommandLine.Usage);
            return 0;
        case { Version: true }:
            Console.WriteLine($"broker {Banner.Version}");
            return 0;
    }

    var options = BrokerConfiguration.Load(commandLine);
    return commandLine.Words switch
    {
        [] => await BrokerHost.RunAsync(options),
        ["user", ..] => UserCommand.Run([.. commandLine.Words.Skip(1)], options),
        ["health", ..] => await HealthCommand.RunAsync([.. commandLine.Words.Skip(1)], options),
        [var word, ..] => throw new StartupException($"unknown command '{word}'; see --help"),
    };
}
catch (StartupException refusal)
{
    Console.Error.WriteLine($"broker: {refusal.Message}");
    return 1;
}

/// <summary>Not for applications that have the broker inside and a Program of their own.</summary>
internal sealed partial class Program;
