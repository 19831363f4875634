namespace Broker.Gateway.Embedding;

/// <summary>Client Identifiers of sessions that belong to the broker's own process.</summary>
internal static class SubscriberName
{
    /// <summary>Who publishes what the application publishes.</summary>
    public const string Publisher = "$app";

    private const string Prefix = Publisher + "/";

    /// <summary>Whether no client of the network may have it.</summary>
    public static bool IsReserved(string clientId) => clientId.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>That of a name; one that no other has when there is no name.</summary>
    public static string Of(string? name) => Prefix + (name ?? Guid.NewGuid().ToString("N"));
}
