namespace Broker.Gateway.Configuration;

/// <summary>Keys that the code names.</summary>
internal static class SettingKeys
{
    /// <summary>The section of everything.</summary>
    public const string Root = "Broker";

    public const string DataDirectory = "Broker:Data:Directory";
}
