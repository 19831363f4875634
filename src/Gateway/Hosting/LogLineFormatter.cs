using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Broker.Gateway.Hosting;

/// <summary>An event as a line: time (UTC), level, category, message; an exception follows on lines of its own.</summary>
internal sealed class LogLineFormatter(BrokerState state) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    /// <inheritdoc />
    public override void Write<TState>(
        in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        if (state.IsAbandoned)
        {
            return;
        }

        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss.fff'Z' ", CultureInfo.InvariantCulture));
        textWriter.Write(Label(logEntry.LogLevel));
        textWriter.Write(logEntry.Category);
        textWriter.Write(": ");

        // A client chooses parts of the text (client id, topic); it must not be able to write log lines of its own.
        textWriter.Write(message.ReplaceLineEndings(" | "));
        textWriter.Write('\n');
        if (logEntry.Exception is { } exception)
        {
            textWriter.Write(exception);
            textWriter.Write('\n');
        }
    }

    private static string Label(LogLevel level) => level switch
    {
        LogLevel.Trace => "TRACE ",
        LogLevel.Debug => "DEBUG ",
        LogLevel.Information => "INFO  ",
        LogLevel.Warning => "WARN  ",
        LogLevel.Error => "ERROR ",
        _ => "FATAL ",
    };
}
