using System.Net.Sockets;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Hosting;

/// <summary>Turns the failures that an operator can cause and cure into one line.</summary>
internal static class StartupFailure
{
    /// <summary>The line, or null when the failure is a defect that deserves its stack trace.</summary>
    public static string? Explain(Exception failure, BrokerOptions options) => failure switch
    {
        StartupException => failure.Message,
        AggregateException { InnerExceptions: [var only] } => Explain(only, options),
        IOException { InnerException: AddressInUseException } => PortInUse(failure, options),
        SocketException => $"a listener cannot be opened: {failure.Message}",
        _ => null,
    };

    private static string PortInUse(Exception failure, BrokerOptions options) => failure.Message;
}
