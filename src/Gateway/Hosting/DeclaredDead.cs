using System.Diagnostics;

namespace Broker.Gateway.Hosting;

/// <summary>
/// What happens when the cluster says that this silo is dead, because it was frozen or cut off: it ends at once. Its
/// sessions are with the others, whatever it did from here on would be refused, and a fresh process joins as a new silo.
/// </summary>
internal sealed partial class DeclaredDead(ILogger<DeclaredDead> logger) : IFatalErrorHandler
{
    // For the line to be written.
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(200);

    private readonly ILogger _logger = logger;

    /// <inheritdoc />
    public bool IsUnexpected(Exception exception) => exception is not ThreadAbortException;

    /// <inheritdoc />
    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        Ends(context ?? exception?.Message ?? "no cause given");
        Thread.Sleep(Farewell);
        Process.GetCurrentProcess().Kill();
    }

    [LoggerMessage(130, LogLevel.Critical, "This silo ends, to be started again as a new one; its sessions are with the others: {Cause}")]
    private partial void Ends(string cause);
}
