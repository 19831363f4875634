namespace Broker.Gateway.Options;

/// <summary>What is written to standard error, one line per event. Section <c>Broker:Log</c>.</summary>
public sealed class LogOptions
{
    /// <summary>Lowest level shown of the broker's own categories.</summary>
    public LogLevel Level { get; set; } = LogLevel.Information;

    /// <summary>Lowest level per category prefix, for example <c>Broker:Log:Levels:Orleans=Debug</c>. Orleans and Microsoft have Warning.</summary>
    public Dictionary<string, LogLevel> Levels { get; set; } = new(StringComparer.OrdinalIgnoreCase);
}
