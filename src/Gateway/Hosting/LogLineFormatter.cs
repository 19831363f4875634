using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Broker.Gateway.Hosting;

/// <summary>An event as a line: time (UTC), level, category, message; an exception follows on lines of its own.</summary>
internal sealed class LogLineFormatter(BrokerState state) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    private const string TimeFormat = "yyyy-MM-dd HH:mm:ss.fff'Z' ";

    /// <inheritdoc />
    public override void Write<TState>(
        in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        if (state.IsAbandoned)
        {
            return;
        }

        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(DateTime.UtcNow.ToString(TimeFormat, CultureInfo.InvariantCulture));
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

    /// <summary>
    /// Writes a line at once, past the logger and its queue: before there is one, or when the process has no time left for it.
    /// </summary>
    public static void WriteNow(LogLevel level, Type category, FormattableString message) => Console.Error.WriteLine(
        DateTime.UtcNow.ToString(TimeFormat, CultureInfo.InvariantCulture) + Label(level) + category.FullName + ": "
            + message.ToString(CultureInfo.InvariantCulture).ReplaceLineEndings(" | "));

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
