namespace Broker.Gateway.Embedding;

/// <summary>Hands what the broker logs, and <c>Broker:Log</c> lets pass, to the loggers of the application, which have filters of their own.</summary>
internal sealed class ForwardedLogs(ILoggerFactory application) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => application.CreateLogger(categoryName);

    public void Dispose()
    {
        // The factory is the application's.
    }
}
