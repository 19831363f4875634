using Broker.Gateway.Connections;

namespace Broker.Gateway.Embedding;

/// <summary>Client Identifiers of sessions that belong to the broker's own process.</summary>
internal static class SubscriberName
{
    /// <summary>Who publishes what the application publishes.</summary>
    public const string Publisher = "$app";

    /// <summary>That of a name; one that no other has when there is no name.</summary>
    public static string Of(string? name) => ClientName.ApplicationPrefix + (name ?? Guid.NewGuid().ToString("N"));
}
