using Broker.Gateway.Hosting;

namespace Broker.Gateway.Embedding;

/// <summary>
/// The silo cannot go on: the others of its cluster have declared it dead, or it is broken. The program would begin again in its
/// process; an application is stopped in order, with exit code 1, for its supervisor to start it again. The others have the sessions.
/// </summary>
internal sealed partial class EmbeddedFatal(BrokerState state, IHostApplicationLifetime lifetime, ILogger logger) : IFatalErrorHandler
{
    private readonly ILogger _logger = logger;
    private int _isUnderWay;

    /// <inheritdoc />
    public bool IsUnexpected(Exception exception) => exception is not ThreadAbortException;

    /// <inheritdoc />
    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        if (Interlocked.Exchange(ref _isUnderWay, 1) != 0)
        {
            // Several parts find it out at the same time.
            return;
        }

        LogFatal(context ?? "no cause given", exception);
        state.Stopping();
        state.Closed();
        Environment.ExitCode = 1;
        lifetime.StopApplication();
    }

    [LoggerMessage(1104, LogLevel.Critical, "The broker cannot go on; the application stops ({Cause})")]
    private partial void LogFatal(string cause, Exception? exception);
}
