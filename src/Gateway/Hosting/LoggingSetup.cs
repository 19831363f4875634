using Broker.Gateway.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging.Console;

namespace Broker.Gateway.Hosting;

/// <summary>Logging: one line per event on standard error, quiet about frameworks.</summary>
internal static class LoggingSetup
{
    public static void AddBrokerLogging(this WebApplicationBuilder builder, LogOptions options, BrokerState state)
    {
        var logging = builder.Logging;
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("Broker", options.Level);

        // It asks for server GC; workstation GC is chosen: a broker shares its machine, and its heap is small.
        logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Error);
        // A failed start is reported by BrokerHost, in a line where possible.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => state.IsStarted && level >= LogLevel.Warning);

        // Measures its first interval from the boot of the machine and reports it as a stall.
        logging.AddFilter("Orleans.Runtime.Watchdog", level => state.IsStarted || level >= LogLevel.Error);

        // The base class of a grain service announces its start and stop; those of the silo are in the banner.
        logging.AddFilter("Broker.Grains.Topics.SiloInbox", LogLevel.Warning);
        foreach (var (category, level) in options.Levels)
        {
            logging.AddFilter(category, level);
        }

        logging.AddConsole(console =>
        {
            console.FormatterName = LogLineFormatter.FormatterName;
            console.LogToStandardErrorThreshold = LogLevel.Trace;
        });
        logging.AddConsoleFormatter<LogLineFormatter, ConsoleFormatterOptions>();
        builder.Services.Configure<ConsoleLifetimeOptions>(o => o.SuppressStatusMessages = true);
    }
}
