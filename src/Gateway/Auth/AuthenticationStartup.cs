using Broker.Gateway.Hosting;
using Broker.Gateway.Options;

namespace Broker.Gateway.Auth;

/// <summary>Says in the log who gets in without a password.</summary>
internal sealed partial class AuthenticationStartup(AuthOptions options, ILogger<AuthenticationStartup> log) : IBrokerStartup
{
    private readonly ILogger _log = log;

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken)
    {
        switch (options.AllowAnonymous)
        {
            case null:
                LogLoopbackOnly();
                break;
            case true:
                LogOpen();
                break;
        }

        return Task.CompletedTask;
    }

    [LoggerMessage(110, LogLevel.Warning, "Clients on this machine may connect without a user name, others may not; " +
        "Broker:Auth:AllowAnonymous decides otherwise")]
    private partial void LogLoopbackOnly();

    [LoggerMessage(111, LogLevel.Warning, "Clients may connect from anywhere without a user name " +
        "(Broker:Auth:AllowAnonymous is true)")]
    private partial void LogOpen();
}
