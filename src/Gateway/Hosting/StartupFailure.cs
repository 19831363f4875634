using System.Net;
using System.Net.Sockets;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Broker.Grains.Options;
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
        SocketException => $"{Addresses(options)}: {failure.Message}; allowed: an address of this machine",
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

    // Nor does it say which address it was. One that cannot be bound now could not be bound then; failing that, it may have been any.
    private static string Addresses(BrokerOptions options)
    {
        var all = GivenAddresses(options).ToList();
        var absent = all.Where(static given => !CanBind(given.Address)).ToList();
        return all.Count == 0
            ? "a listener cannot be opened"
            : string.Join(" or ", (absent.Count > 0 ? absent : all).Select(static given => $"{given.Key}={given.Address}"))
                + " cannot be listened at";
    }

    private static IEnumerable<(IPAddress Address, string Key)> GivenAddresses(BrokerOptions options)
    {
        if (ListenAddress.TryParse(options.Http.Address, out var http) && http is not null)
        {
            yield return (http, "Broker:Http:Address");
        }

        foreach (var (index, endpoint) in options.Listeners.Mqtt.Index())
        {
            if (ListenAddress.TryParse(endpoint.Address, out var mqtt) && mqtt is not null)
            {
                yield return (mqtt, $"Broker:Listeners:Mqtt:{index}:Address");
            }
        }

        // Not listened at, but a free port is looked for at it.
        if (options.Store.Kind == StoreKind.Postgres && IPAddress.TryParse(options.Cluster.Address, out var cluster))
        {
            yield return (cluster, "Broker:Cluster:Address");
        }
    }

    private static bool CanBind(IPAddress address)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static bool Names(string message, int port) => message.Contains($":{port}:", StringComparison.Ordinal);
}
