using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>Where durable state lies. Section <c>Broker:Data</c>.</summary>
public sealed class DataOptions
{
    /// <summary>Folder of the store, the users file and an optional appsettings.json. Created when it is missing.</summary>
    [AllowedText("a folder")]
    public string Directory { get; set; } = "./data";
}
