using System.Net.Sockets;
using Broker.Gateway.Options;
using Broker.Grains.Storage;
using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Hosting;

/// <summary>Turns the failures that an operator can cause and cure into one line.</summary>
internal static class StartupFailure
{
    // Below it a port needs a right, unless the system was told otherwise (net.ipv4.ip_unprivileged_port_start).
    private const int FirstFreePort = 1024;

    /// <summary>The line, or null when the failure is a defect that deserves its stack trace.</summary>
    public static string? Explain(Exception failure, BrokerOptions options) => failure switch
    {
        StartupException or StoreOpenException => failure.Message,
        AggregateException { InnerExceptions: [var only] } => Explain(only, options),
        IOException { InnerException: AddressInUseException } => $"{Endpoint(failure, options)} is in use",
        SocketException { SocketErrorCode: SocketError.AccessDenied } =>
            $"{LowPorts(options)} needs rights that this process does not have",
        SocketException => $"a listener cannot be opened: {failure.Message}",
        _ => null,
    };

    // Kestrel names every address as http://ADDRESS:PORT, whatever is spoken there; the port tells which endpoint it was.
    private static string Endpoint(Exception failure, BrokerOptions options)
    {
        var text = failure.Message;
        return Endpoints(options).FirstOrDefault(endpoint => endpoint.Port != 0 && Names(text, endpoint.Port)).Name ?? $"a port ({text})";
    }

    // The system does not say which port it was that was not allowed. Unless something unusual guards the others, it is a low one.
    private static string LowPorts(BrokerOptions options)
    {
        var all = Endpoints(options).Where(static endpoint => endpoint.Port != 0).ToList();
        var low = all.Where(static endpoint => endpoint.Port < FirstFreePort).ToList();
        return all.Count == 0 ? "a listener" : string.Join(" or ", (low.Count > 0 ? low : all).Select(static endpoint => endpoint.Name));
    }

    private static IEnumerable<(int Port, string Name)> Endpoints(BrokerOptions options)
    {
        yield return (options.Http.Port, $"the HTTP port {options.Http.Port} (--http, Broker:Http:Port)");
        foreach (var (index, endpoint) in options.Listeners.Mqtt.Index())
        {
            yield return (endpoint.Port, $"the MQTT port {endpoint.Port} ({(index == 0 ? "--mqtt, " : "")}Broker:Listeners:Mqtt:{index}:Port)");
        }
    }

    private static bool Names(string message, int port) => message.Contains($":{port}:", StringComparison.Ordinal);
}
