using System.Globalization;
using Broker.Gateway.Options;

namespace Broker.Gateway.Configuration;

/// <summary>Keys that the code names.</summary>
internal static class SettingKeys
{
    /// <summary>The section of everything.</summary>
    public const string Root = "Broker";

    public const string DataDirectory = "Broker:Data:Directory";

    /// <summary>Access list of an MQTT endpoint.</summary>
    public static string AccessOf(int endpoint) => Of(endpoint, nameof(ListenerEndpoint.Access));

    /// <summary>Balancers in front of an MQTT endpoint.</summary>
    public static string ProxyProtocolFromOf(int endpoint) => Of(endpoint, nameof(ListenerEndpoint.ProxyProtocolFrom));

    private static string Of(int endpoint, string name) => string.Create(CultureInfo.InvariantCulture, $"Broker:Listeners:Mqtt:{endpoint}:{name}");
}
