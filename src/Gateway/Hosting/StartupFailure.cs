using System.Net.Sockets;
using Broker.Gateway.Options;
using Broker.Grains.Storage;
using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Hosting;

/// <summary>Turns the failures that an operator can cause and cure into one line.</summary>
internal static class StartupFailure
{
    /// <summary>The line, or null when the failure is a defect that deserves its stack trace.</summary>
    public static string? Explain(Exception failure, BrokerOptions options) => failure switch
    {
        StartupException or StoreOpenException => failure.Message,
        AggregateException { InnerExceptions: [var only] } => Explain(only, options),
        IOException { InnerException: AddressInUseException } => $"{Endpoint(failure, options)} is in use",
        SocketException { SocketErrorCode: SocketError.AccessDenied } =>
            $"{Endpoint(failure, options)} needs rights that this process does not have",
        SocketException => $"a listener cannot be opened: {failure.Message}",
        _ => null,
    };

    // Kestrel names every address as http://ADDRESS:PORT, whatever is spoken there; the port tells which endpoint it was.
    private static string Endpoint(Exception failure, BrokerOptions options)
    {
        var text = failure.Message;
        if (options.Http.Port != 0 && Names(text, options.Http.Port))
        {
            return $"the HTTP port {options.Http.Port} (--http, Broker:Http:Port)";
        }

        var index = options.Listeners.Mqtt.FindIndex(endpoint => endpoint.Port != 0 && Names(text, endpoint.Port));
        return index < 0
            ? $"a port ({text})"
            : $"the MQTT port {options.Listeners.Mqtt[index].Port} " +
                $"({(index == 0 ? "--mqtt, " : "")}Broker:Listeners:Mqtt:{index}:Port)";
    }

    private static bool Names(string message, int port) => message.Contains($":{port}:", StringComparison.Ordinal);
}
