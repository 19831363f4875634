using System.Net;
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
