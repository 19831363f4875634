using System.Globalization;
using System.Net;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Broker.Gateway.Listeners;

/// <summary>The endpoints as Kestrel has bound them: with real ports after the start.</summary>
internal sealed class OpenListeners
{
    private readonly List<ListenOptions> _mqtt = [];
    private ListenOptions? _http;

    /// <summary>One URL per MQTT endpoint.</summary>
    public IEnumerable<string> Mqtt => _mqtt.Select(listener => Url("mqtt", listener));

    /// <summary>URL of the HTTP endpoint.</summary>
    public string Http => Url("http", _http!);

    /// <summary>The MQTT endpoints.</summary>
    public IReadOnlyList<IPEndPoint> MqttEndPoints => [.. _mqtt.Select(static listener => listener.IPEndPoint!)];

    /// <summary>The HTTP endpoint.</summary>
    public IPEndPoint? HttpEndPoint => _http?.IPEndPoint;

    /// <summary>
    /// Command line options that make the next process listen on the ports that this one has got where any free one was asked
    /// for: clients come back to where they were.
    /// </summary>
    public IEnumerable<string> FixedPorts(BrokerOptions options)
    {
        for (var i = 0; i < _mqtt.Count; i++)
        {
            if (options.Listeners.Mqtt[i].Port == 0 && _mqtt[i].IPEndPoint is { Port: > 0 } mqtt)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"--Broker:Listeners:Mqtt:{i}:Port={mqtt.Port}");
            }
        }

        if (options.Http.Port == 0 && _http?.IPEndPoint is { Port: > 0 } http)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"--Broker:Http:Port={http.Port}");
        }
    }

    public void AddMqtt(ListenOptions listener) => _mqtt.Add(listener);

    public void SetHttp(ListenOptions listener) => _http = listener;

    private static string Url(string scheme, ListenOptions listener)
    {
        var endpoint = listener.IPEndPoint!;
        return endpoint.Address.Equals(IPAddress.IPv6Any) || endpoint.Address.Equals(IPAddress.Any)
            ? $"{scheme}://0.0.0.0:{endpoint.Port} (every address)"
            : $"{scheme}://{endpoint}";
    }
}
