using Microsoft.Extensions.Logging;

namespace Broker.Grains.Storage;

/// <summary>Log messages of the store; event ids 3000 to 3099.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(3000, LogLevel.Error,
        "The store cannot commit; durable work is refused until it can ({Failures} failures so far): {Reason}")]
    public static partial void StoreFailed(this ILogger logger, long failures, string reason);

    [LoggerMessage(3011, LogLevel.Error,
        "The store cannot commit; durable work waits, and is refused after {Patience} until it can ({Failures} failures so far): {Reason}")]
    public static partial void StoreFailedForNow(this ILogger logger, TimeSpan patience, long failures, string reason);

    [LoggerMessage(3001, LogLevel.Information, "The store commits again after {Duration} ({Failures} failures so far)")]
    public static partial void StoreRecovered(this ILogger logger, TimeSpan duration, long failures);

    [LoggerMessage(3002, LogLevel.Error, "A write of type {Type} threw while it added its rows; it was left out")]
    public static partial void WriteFaulted(this ILogger logger, Exception error, string type);

    [LoggerMessage(3003, LogLevel.Error, "A write of type {Type} threw while it was told its outcome")]
    public static partial void CompletionFaulted(this ILogger logger, Exception error, string type);

    [LoggerMessage(3004, LogLevel.Error, "A write of type {Type} can never be stored and was dropped: {Reason}")]
    public static partial void WriteDropped(this ILogger logger, string type, string reason);

    [LoggerMessage(3005, LogLevel.Warning, "Housekeeping of the store failed and is tried again later: {Reason}")]
    public static partial void HousekeepingFailed(this ILogger logger, string reason);

    [LoggerMessage(3006, LogLevel.Information, "Store schema migrated from version {From} to {To}")]
    public static partial void Migrated(this ILogger logger, int from, int to);

    [LoggerMessage(3008, LogLevel.Error, "The store has not answered for {Time}; durable work is refused until it does")]
    public static partial void NoAnswer(this ILogger logger, TimeSpan time);

    [LoggerMessage(3009, LogLevel.Information, "The store answers again after {Time}")]
    public static partial void Answers(this ILogger logger, TimeSpan time);

    [LoggerMessage(3010, LogLevel.Warning, "The store did not answer when it was closed; the next process finds out what became of the last commit")]
    public static partial void ClosedWithoutAnswer(this ILogger logger);

    [LoggerMessage(3007, LogLevel.Warning,
        "The store was out of reach for so long that another silo has the node number; this silo has {Number} now")]
    public static partial void NodeChanged(this ILogger logger, int number);
}
