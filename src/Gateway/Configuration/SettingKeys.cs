using System.Globalization;

namespace Broker.Gateway.Configuration;

/// <summary>Keys that the code names.</summary>
internal static class SettingKeys
{
    /// <summary>The section of everything.</summary>
    public const string Root = "Broker";

    public const string DataDirectory = "Broker:Data:Directory";

    /// <summary>Access list of an MQTT endpoint.</summary>
    public static string AccessOf(int endpoint) => string.Create(CultureInfo.InvariantCulture, $"Broker:Listeners:Mqtt:{endpoint}:Access");
}
