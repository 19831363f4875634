namespace Broker.Grains.Interfaces;

/// <summary>
/// Keys of the broker's grains. Each has a prefix that no hexadecimal text has: a bare key that looks like a number or a
/// GUID is folded with others that mean the same number by Orleans' ADO.NET storage.
/// </summary>
public static class GrainKeys
{
    private const string SessionPrefix = "s:";
    private const string TopicPrefix = "t:";

    /// <summary>Key of the Session grain of a client.</summary>
    public static string Session(string clientId) => SessionPrefix + clientId;

    /// <summary>Key of the Topic grain of a Topic Filter.</summary>
    public static string Topic(string filter) => TopicPrefix + filter;

    /// <summary>Client Identifier in a Session grain's key.</summary>
    public static string ClientId(string key) => Strip(key, SessionPrefix);

    /// <summary>Topic Filter in a Topic grain's key.</summary>
    public static string Filter(string key) => Strip(key, TopicPrefix);

    private static string Strip(string key, string prefix) =>
        key.StartsWith(prefix, StringComparison.Ordinal)
            ? key[prefix.Length..]
            : throw new ArgumentException($"Grain key '{key}' does not begin with '{prefix}'.", nameof(key));
}
