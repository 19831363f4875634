using System.Net;

namespace Broker.Gateway.Auth;

/// <summary>Who an accepted connection acts for. Immutable for the life of the connection.</summary>
/// <param name="ClientId">Client Identifier, after one was assigned to a client without.</param>
/// <param name="UserName">The proven user name; null for an anonymous client, whatever name it claimed.</param>
/// <param name="Address">Where it connects from.</param>
public sealed record ClientIdentity(string ClientId, string? UserName, IPAddress Address);
