namespace Broker.Gateway.Hosting;

/// <summary>The broker cannot start, for a reason that one line tells to the operator.</summary>
public sealed class StartupException : Exception
{
    public StartupException(string message)
        : base(message)
    {
    }

    public StartupException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
